/**
 * Verifying a receipt with nothing but the receipt and the log's key: the leaf's hash, the inclusion
 * proof (RFC 9162, 2.1.3.2), the checkpoint's signature (c2sp.org/tlog-checkpoint).
 */

import type { TextKey } from "./texts";

export interface Proven {
  kind: "kindDocument" | "kindReport";
  /** When the hub accepted it. */
  at: Date;
  position: bigint;
  content: string;
  size: bigint;
  origin: string;
}

/** Why nothing is proven. */
export class Unproven extends Error {
  constructor(readonly text: TextKey) {
    super(text);
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

const ENTRY_BYTES = 74;
const PROOF_HASHES_MAX = 64;

/** Verifies a receipt's file as `lienthong send --evidence` and the connector write it. */
export async function verify(file: string, key: string): Promise<Proven> {
  const receipt = read(file);
  const entry = fromHex(receipt.entry);
  if (entry.length !== ENTRY_BYTES || entry[0] !== 1 || (entry[1] !== 1 && entry[1] !== 2)) throw new Unproven("entryMalformed");
  const checkpoint = await open(receipt.checkpoint, key);
  const proof = receipt.proof.map(fromHex);
  const root = await rootOf(await hash(Uint8Array.of(0), entry), BigInt(receipt.position), proof, checkpoint.size);
  if (!same(root, checkpoint.root)) throw new Unproven("proofWrong");
  const millis = new DataView(entry.buffer).getBigInt64(2);
  return {
    kind: entry[1] === 1 ? "kindDocument" : "kindReport",
    at: new Date(Number(millis)),
    position: BigInt(receipt.position),
    content: toHex(entry.slice(10, 42)),
    size: checkpoint.size,
    origin: checkpoint.origin,
  };
}

interface Receipt {
  position: number;
  entry: string;
  proof: string[];
  checkpoint: string;
}

function read(file: string): Receipt {
  let found: unknown;
  try {
    found = JSON.parse(file);
  } catch {
    throw new Unproven("notAReceipt");
  }
  const { position, entry, proof, checkpoint } = (found ?? {}) as Partial<Receipt>;
  const isOne =
    Number.isSafeInteger(position) &&
    typeof entry === "string" &&
    Array.isArray(proof) &&
    proof.length <= PROOF_HASHES_MAX &&
    proof.every((one) => typeof one === "string") &&
    typeof checkpoint === "string";
  if (!isOne) throw new Unproven("notAReceipt");
  return found as Receipt;
}

/** The root that a leaf and the hashes beside its way lead to. */
async function rootOf(leaf: Bytes, position: bigint, proof: Bytes[], size: bigint): Promise<Bytes> {
  if (position < 0n || position >= size) throw new Unproven("proofWrong");
  let [place, last, found] = [position, size - 1n, leaf];
  for (const beside of proof) {
    if (last === 0n || beside.length !== 32) throw new Unproven("proofWrong");
    if ((place & 1n) === 1n || place === last) {
      found = await hash(Uint8Array.of(1), beside, found);
      while ((place & 1n) === 0n && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      found = await hash(Uint8Array.of(1), found, beside);
    }
    place >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new Unproven("proofWrong");
  return found;
}

/** Opens a signed note with a key written `name+id+key`. */
async function open(note: string, key: string): Promise<{ origin: string; size: bigint; root: Bytes }> {
  const { name, id, publicKey } = await readKey(key);
  const end = note.indexOf("\n\n");
  if (end < 0) throw new Unproven("checkpointMalformed");
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split("\n");
  const signatures = lines.map((line) => line.match(/^— (\S+) (\S+)$/)).filter((found) => found?.[1] === name);
  const signed = signatures.map((found) => fromBase64(found?.[2] ?? "")).filter((bytes) => same(bytes.slice(0, 4), id));
  const signature = signed[0]?.slice(4);
  if (!signature) throw new Unproven("otherKey");
  const message = new TextEncoder().encode(text);
  if (!(await crypto.subtle.verify("Ed25519", publicKey, signature, message))) throw new Unproven("signatureWrong");
  const [origin, size, root] = text.split("\n");
  if (origin !== name || !size || !/^(0|[1-9]\d*)$/.test(size) || !root) throw new Unproven("checkpointMalformed");
  return { origin, size: BigInt(size), root: fromBase64(root) };
}

async function readKey(key: string): Promise<{ name: string; id: Bytes; publicKey: CryptoKey }> {
  const [name, id, ...rest] = key.trim().split("+");
  const typed = fromBase64(rest.join("+"));
  if (!name || !id || typed.length !== 33 || typed[0] !== 1) throw new Unproven("keyMalformed");
  const own = await hash(new TextEncoder().encode(name), Uint8Array.of(10), typed);
  if (toHex(own.slice(0, 4)) !== id) throw new Unproven("keyMalformed");
  try {
    const publicKey = await crypto.subtle.importKey("raw", typed.slice(1), "Ed25519", false, ["verify"]);
    return { name, id: own.slice(0, 4), publicKey };
  } catch {
    throw new Unproven("noEd25519");
  }
}

async function hash(...parts: Bytes[]): Promise<Bytes> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

function same(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

function fromHex(text: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Unproven("notAReceipt");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function toHex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromBase64(text: string): Bytes {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Unproven("checkpointMalformed");
  }
}
