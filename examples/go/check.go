// Checks a hub's evidence with Go's own implementation of transparency logs
// (golang.org/x/mod/sumdb), and with nothing of the hub's software.
//
//	go run check.go < evidence.json
//
// The input is one JSON object: "key" (the log's key: name+id+key), "checkpoint" (a signed note),
// and one of
//
//   - "position", "entry" (hex, 74 bytes) and "proof" (hashes in hex, lowest first);
//   - "earlier" (an earlier checkpoint) and "proof";
//   - "tiles" (the address of the hub's HTTP port), and "earlier" or not: everything that the
//     checkpoint states is worked out from tiles and entries, and no proof of the hub is needed.
//
// Prints "holds" and ends with 0, or says what does not hold and ends with 1.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type evidence struct {
	Key        string   `json:"key"`
	Checkpoint string   `json:"checkpoint"`
	Earlier    string   `json:"earlier"`
	Position   int64    `json:"position"`
	Entry      string   `json:"entry"`
	Proof      []string `json:"proof"`
	Tiles      string   `json:"tiles"`
}

func main() {
	if err := check(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("holds")
}

func check() error {
	var given evidence
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		return err
	}
	size, root, err := open(given.Key, given.Checkpoint)
	if err != nil {
		return err
	}
	if given.Tiles != "" {
		return checkTiles(given, tlog.Tree{N: size, Hash: root})
	}
	var proof []tlog.Hash
	for _, text := range given.Proof {
		bytes, err := hex.DecodeString(text)
		if err != nil || len(bytes) != tlog.HashSize {
			return errors.New("a hash is not 32 bytes in hex")
		}
		proof = append(proof, tlog.Hash(*(*[tlog.HashSize]byte)(bytes)))
	}
	if given.Earlier != "" {
		first, firstRoot, err := open(given.Key, given.Earlier)
		if err != nil {
			return err
		}
		return tlog.CheckTree(proof, size, root, first, firstRoot)
	}
	entry, err := hex.DecodeString(given.Entry)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, size, root, given.Position, tlog.RecordHash(entry))
}

// checkTiles reads the whole log of a checkpoint over HTTP: every tile must lead to the root, every
// entry must hash to its leaf, and the log of the earlier checkpoint must be its beginning.
func checkTiles(given evidence, tree tlog.Tree) error {
	source := &tiles{address: given.Tiles}
	// TileHashReader checks every tile that it is given against the root.
	hashes := tlog.TileHashReader(tree, source)
	for first := int64(0); first < tree.N; first += width {
		entries, err := source.entries(first, tree.N)
		if err != nil {
			return err
		}
		for at, entry := range entries {
			position := first + int64(at)
			proof, err := tlog.ProveRecord(tree.N, position, hashes)
			if err != nil {
				return err
			}
			leaf := tlog.RecordHash(entry)
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, position, leaf); err != nil {
				return fmt.Errorf("entry %d: %w", position, err)
			}
		}
	}
	if given.Earlier == "" {
		return nil
	}
	first, firstRoot, err := open(given.Key, given.Earlier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, first, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, first, firstRoot)
}

// height and width of a tile (c2sp.org/tlog-tiles).
const (
	height = 8
	width  = 1 << height
)

// tiles reads a log's tiles over HTTP, each once.
type tiles struct {
	address string
	read    map[string][]byte
}

func (t *tiles) Height() int { return height }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		// The checksum database has the height in its paths, tlog-tiles has only 8.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := t.get(path)
		if err != nil {
			return nil, err
		}
		found = append(found, bytes)
	}
	return found, nil
}

// entries returns the entries of the bundle that begins with a position, in a log of a size.
func (t *tiles) entries(first, size int64) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: 0, N: first / width, W: width}
	if size-first < width {
		tile.W = int(size - first)
	}
	bytes, err := t.get(strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(bytes) > 0 {
		if len(bytes) < 2 || len(bytes) < 2+int(binary.BigEndian.Uint16(bytes)) {
			return nil, errors.New("an entry is cut off")
		}
		end := 2 + int(binary.BigEndian.Uint16(bytes))
		entries = append(entries, bytes[2:end])
		bytes = bytes[end:]
	}
	if len(entries) != tile.W {
		return nil, fmt.Errorf("a bundle has %d entries, not %d", len(entries), tile.W)
	}
	return entries, nil
}

func (t *tiles) get(path string) ([]byte, error) {
	if bytes, ok := t.read[path]; ok {
		return bytes, nil
	}
	answer, err := http.Get(t.address + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	bytes, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	if t.read == nil {
		t.read = make(map[string][]byte)
	}
	t.read[path] = bytes
	return bytes, nil
}

// open checks a checkpoint's signature and returns size and root.
func open(key, checkpoint string) (int64, tlog.Hash, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	signed, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return 0, tlog.Hash{}, errors.New("the note is not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return size, root, err
}
