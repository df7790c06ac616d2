// Checks a hub's evidence with Go's own implementation of transparency logs
// (golang.org/x/mod/sumdb), and with nothing of the hub's software.
//
//	go run check.go < evidence.json
//
// The input is one JSON object: "key" (the log's key: name+id+key), "checkpoint" (a signed note),
// and either "position", "entry" (hex, 74 bytes) and "proof" (hashes in hex, lowest first), or
// "earlier" (an earlier checkpoint) and "proof". Prints "holds" and ends with 0, or says what does
// not hold and ends with 1.
package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
