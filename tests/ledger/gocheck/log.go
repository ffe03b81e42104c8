// Package gocheck reads Vouch's ledgers with golang.org/x/mod/sumdb and nothing of ours, as a stranger would.
package gocheck

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileWidth = 256

// Log is a folder in the layout of c2sp.org/tlog-tiles, and whom to believe about it.
type Log struct {
	Folder   string
	Verifier note.Verifier
}

// Open takes the public key from the home; a real stranger has it from somewhere else.
func Open(home string) (*Log, error) {
	key, err := os.ReadFile(filepath.Join(home, "keys", "ledger.vkey"))
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(strings.TrimSuffix(string(key), "\n"))
	if err != nil {
		return nil, err
	}
	return &Log{filepath.Join(home, "ledger"), verifier}, nil
}

// Checkpoint is the tree that a signed note speaks of.
func (l *Log) Checkpoint() (tlog.Tree, error) {
	text, err := os.ReadFile(filepath.Join(l.Folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	return l.parse(text)
}

func (l *Log) parse(text []byte) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(l.Verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	for _, signature := range opened.Sigs {
		if _, err := strictBase64(signature.Base64); err != nil {
			return tlog.Tree{}, err
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != l.Verifier.Name() {
		return tlog.Tree{}, errors.New("not three lines, or another origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// strictBase64 has one text for each value: Go's decoders let the bits behind the last byte be anything.
func strictBase64(text string) ([]byte, error) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err == nil && base64.StdEncoding.EncodeToString(bytes) != text {
		err = fmt.Errorf("%q is not the base64 of its bytes", text)
	}
	return bytes, err
}

// path is the file of a tile: tlog's own form without the height, and "entries" for its "data".
func path(tile tlog.Tile) string {
	return strings.Replace(strings.Replace(tile.Path(), "tile/8/", "tile/", 1), "tile/data/", "tile/entries/", 1)
}

// Height and ReadTiles make a Log a tlog.TileReader.
func (l *Log) Height() int { return 8 }

func (l *Log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		// Only the widest partial tile is kept; a narrower one is its prefix. The checkpoint's own width is there.
		bytes, err := os.ReadFile(filepath.Join(l.Folder, path(tile)))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (l *Log) SaveTiles([]tlog.Tile, [][]byte) {}

// Entries decodes every bundle of a tree of this size.
func (l *Log) Entries(size int64) ([][]byte, error) {
	var entries [][]byte
	for from := int64(0); from < size; from += tileWidth {
		width := int(min(tileWidth, size-from))
		bundle, err := os.ReadFile(filepath.Join(l.Folder, path(tlog.Tile{H: 8, L: -1, N: from / tileWidth, W: width})))
		if err != nil {
			return nil, err
		}
		for range width {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("bundle %d ends within an entry", from/tileWidth)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("bundle %d goes on behind its entries", from/tileWidth)
		}
	}
	return entries, nil
}

// Hashes are those of a tree over entries, computed here.
type Hashes []tlog.Hash

func (h Hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		if index >= int64(len(h)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		found = append(found, h[index])
	}
	return found, nil
}

// Rebuild computes all hashes of the tree from the entries.
func Rebuild(entries [][]byte) (Hashes, error) {
	var hashes Hashes
	for i, entry := range entries {
		stored, err := tlog.StoredHashes(int64(i), entry, hashes)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, stored...)
	}
	return hashes, nil
}

// Check reads everything: the checkpoint, each tile against the root, each entry against its leaf hash, and the root from the entries alone.
func (l *Log) Check() error {
	tree, err := l.Checkpoint()
	if err != nil {
		return err
	}
	entries, err := l.Entries(tree.N)
	if err != nil {
		return err
	}
	hashes, err := Rebuild(entries)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the entries have root %v, the checkpoint %v", root, tree.Hash)
	}
	stored := tlog.TileHashReader(tree, l)
	for from := 0; from < len(entries); from += 1 << 14 {
		var indexes []int64
		for i := from; i < min(from+1<<14, len(entries)); i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, int64(i)))
		}
		leaves, err := stored.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if leaf != hashes[indexes[i]] {
				return fmt.Errorf("the tile has another hash for leaf %d", from+i)
			}
		}
	}
	return l.checkTiles(tree.N, hashes)
}

// checkTiles compares every tile file with the tile computed from the entries: TileHashReader looks only at those it needs.
func (l *Log) checkTiles(size int64, hashes Hashes) error {
	for _, tile := range tlog.NewTiles(8, 0, size) {
		want, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(l.Folder, path(tile)))
		if err != nil {
			return err
		}
		if !bytes.Equal(want, got) {
			return fmt.Errorf("%s is another than the entries make", path(tile))
		}
	}
	return nil
}

// Proof is one leaf of an exported file (c2sp.org/tlog-proof@v1).
type Proof struct {
	Entry  []byte
	Index  int64
	Hashes tlog.RecordProof
	Note   []byte
}

const firstLine = "c2sp.org/tlog-proof@v1\n"

// ParseProofs takes a file apart at the lines that begin a proof.
func ParseProofs(file []byte) ([]Proof, error) {
	parts := strings.Split(string(file), firstLine)
	if len(parts) < 2 || parts[0] != "" {
		return nil, errors.New("not a proof file")
	}
	var proofs []Proof
	for _, part := range parts[1:] {
		head, note, found := strings.Cut(part, "\n\n")
		lines := strings.Split(head, "\n")
		if !found || len(lines) < 2 {
			return nil, errors.New("no checkpoint")
		}
		extra, isExtra := strings.CutPrefix(lines[0], "extra ")
		index, isIndex := strings.CutPrefix(lines[1], "index ")
		if !isExtra || !isIndex {
			return nil, errors.New("no entry, or no index")
		}
		entry, err := strictBase64(extra)
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(index, 10, 64)
		if err != nil {
			return nil, err
		}
		proof := Proof{Entry: entry, Index: n, Note: []byte(note)}
		for _, line := range lines[2:] {
			if _, err := strictBase64(line); err != nil {
				return nil, err
			}
			hash, err := tlog.ParseHash(line)
			if err != nil {
				return nil, err
			}
			proof.Hashes = append(proof.Hashes, hash)
		}
		proofs = append(proofs, proof)
	}
	return proofs, nil
}

// CheckProofs verifies an exported file against nothing but the public key.
func (l *Log) CheckProofs(file []byte) ([]Proof, error) {
	proofs, err := ParseProofs(file)
	if err != nil {
		return nil, err
	}
	for _, proof := range proofs {
		tree, err := l.parse(proof.Note)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(proof.Hashes, tree.N, tree.Hash, proof.Index, tlog.RecordHash(proof.Entry)); err != nil {
			return nil, fmt.Errorf("leaf %d: %w", proof.Index, err)
		}
	}
	return proofs, nil
}
