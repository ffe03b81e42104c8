package gocheck

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// tool runs ledger_tool, which `./dev test` has built.
func tool(t *testing.T, words ...string) string {
	t.Helper()
	build := os.Getenv("VOUCH_BUILD")
	if build == "" {
		build = "../../../build"
	}
	out, err := exec.Command(filepath.Join(build, "ledger_tool"), words...).CombinedOutput()
	if err != nil {
		t.Fatalf("ledger_tool %v: %v\n%s", words, err, out)
	}
	return string(out)
}

// grow makes a log and appends in several processes, so that each size was once the published one.
func grow(t *testing.T, sizes ...int) (string, *Log, []tlog.Tree) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	tool(t, "create", home, "vouch.example/ledger")
	log, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	var trees []tlog.Tree
	have := 0
	for _, size := range sizes {
		if size > have {
			tool(t, "append", home, strconv.Itoa(size-have))
			have = size
		}
		tree, err := log.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		if tree.N != int64(size) {
			t.Fatalf("the checkpoint is of size %d, not %d", tree.N, size)
		}
		if err := log.Check(); err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		trees = append(trees, tree)
	}
	return home, log, trees
}

func TestLogsOfAllShapesAreAccepted(t *testing.T) {
	_, _, trees := grow(t, 0, 1, 2, 3, 7, 255, 256, 257, 511, 512, 700, 1000)
	if len(trees) != 12 {
		t.Fatal(len(trees))
	}
}

func TestALogWithThreeLevelsOfTilesIsAccepted(t *testing.T) {
	grow(t, 65535, 65536, 66000)
}

func TestTheLogOnlyEverGrows(t *testing.T) {
	home, _, trees := grow(t, 1, 3, 200, 256, 300, 777)
	for i, older := range trees {
		for _, newer := range trees[i:] {
			var proof tlog.TreeProof
			for _, line := range strings.Fields(tool(t, "consistency", home, fmt.Sprint(older.N), fmt.Sprint(newer.N))) {
				hash, err := tlog.ParseHash(line)
				if err != nil {
					t.Fatal(err)
				}
				proof = append(proof, hash)
			}
			if err := tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash); err != nil {
				t.Errorf("%d to %d: %v", older.N, newer.N, err)
			}
			for at := range proof {
				broken := append(tlog.TreeProof{}, proof...)
				broken[at][7] ^= 4
				if tlog.CheckTree(broken, newer.N, newer.Hash, older.N, older.Hash) == nil {
					t.Errorf("%d to %d: hash %d may be anything", older.N, newer.N, at)
				}
			}
		}
	}
}

func TestExportedLeavesAreAccepted(t *testing.T) {
	home, log, _ := grow(t, 700)
	file := filepath.Join(home, "leaves.tlog-proof")
	wanted := []int64{0, 1, 255, 256, 511, 512, 699}
	words := []string{"export", home, file}
	for _, leaf := range wanted {
		words = append(words, fmt.Sprint(leaf))
	}
	tool(t, words...)
	bytes, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	proofs, err := log.CheckProofs(bytes)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := log.Entries(700)
	if err != nil {
		t.Fatal(err)
	}
	for i, proof := range proofs {
		if proof.Index != wanted[i] || string(proof.Entry) != string(entries[wanted[i]]) {
			t.Errorf("leaf %d came back as %d: %q", wanted[i], proof.Index, proof.Entry)
		}
	}
	if len(proofs) != len(wanted) {
		t.Errorf("%d of %d leaves", len(proofs), len(wanted))
	}
	for range 300 {
		broken := append([]byte{}, bytes...)
		broken[rand.IntN(len(broken))] ^= 1 << rand.IntN(8)
		if _, err := log.CheckProofs(broken); err == nil {
			t.Fatal("a flipped bit in an exported file went unnoticed")
		}
	}
}

func TestAFlippedBitInAnyFileIsFoundHereAndByUs(t *testing.T) {
	home, log, _ := grow(t, 600)
	kinds := map[string]int{}
	err := filepath.WalkDir(log.Folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		good, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(log.Folder, file)
		for range 10 {
			broken := append([]byte{}, good...)
			at := rand.IntN(len(broken))
			broken[at] ^= 1 << rand.IntN(8)
			if err := os.WriteFile(file, broken, 0o644); err != nil {
				return err
			}
			if log.Check() == nil {
				t.Errorf("%s: byte %d went unnoticed", relative, at)
			}
		}
		build := os.Getenv("VOUCH_BUILD")
		if build == "" {
			build = "../../../build"
		}
		said, err := exec.Command(filepath.Join(build, "ledger_tool"), "verify", home).CombinedOutput()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 4 || !strings.Contains(string(said), relative) {
			t.Errorf("%s: we said %v %s", relative, err, said)
		}
		kinds[strings.SplitN(filepath.ToSlash(relative)+"/", "/", 3)[0]]++
		return os.WriteFile(file, good, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds["checkpoint"] != 1 || kinds["tile"] != 7 {
		t.Errorf("looked at %v", kinds)
	}
	if err := log.Check(); err != nil {
		t.Error(err)
	}
}
