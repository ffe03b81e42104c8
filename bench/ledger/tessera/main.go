// Command tessera is the other side of the ledger's benchmark: the same appends into tessera's POSIX storage, and its fsck.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// One line for the script that compares.
type result struct {
	Entries       uint64  `json:"entries"`
	AppendSeconds float64 `json:"append_seconds"`
	FsckSeconds   float64 `json:"fsck_seconds"` // the median of three
}

func main() {
	folder := flag.String("folder", "", "an empty folder for the log")
	entries := flag.Uint64("entries", 1<<17, "how many to append")
	size := flag.Int("bytes", 1024, "of each entry")
	batch := flag.Uint("batch", 1024, "entries in one of tessera's batches")
	writers := flag.Int("writers", 4096, "entries that wait for their index at a time")
	flag.Parse()
	log.SetFlags(0)

	signer, verifier := newKey("bench.example/tessera")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: *folder})
	check(err)
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(*batch, 250*time.Millisecond).
		WithCheckpointInterval(time.Second).
		WithPushback(1 << 20)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	check(err)

	// The bytes are made before the clock starts; the first eight tell entries apart.
	body := make([]byte, *size)
	_, err = rand.Read(body)
	check(err)
	began := time.Now()
	var next atomic.Uint64
	var wait sync.WaitGroup
	for range *writers {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < *entries; i = next.Add(1) - 1 {
				entry := make([]byte, *size)
				copy(entry, body)
				copy(entry, fmt.Sprintf("%08x", i))
				_, err := appender.Add(ctx, tessera.NewEntry(entry))()
				check(err)
			}
		})
	}
	wait.Wait()
	appended := time.Since(began)
	check(shutdown(ctx))
	cancel()
	_ = reader

	var seconds []float64
	for range 3 {
		began := time.Now()
		source := client.FileFetcher{Root: *folder}
		checker := fsck.New("bench.example/tessera", verifier, source, leafHashes, fsck.Opts{N: 2})
		check(checker.Check(context.Background()))
		seconds = append(seconds, time.Since(began).Seconds())
	}
	slices.Sort(seconds)
	check(json.NewEncoder(os.Stdout).Encode(result{*entries, appended.Seconds(), seconds[1]}))
}

// As tessera's own fsck command does it.
func leafHashes(bytes []byte) ([][]byte, error) {
	bundle := &api.EntryBundle{}
	if err := bundle.UnmarshalText(bytes); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(bundle.Entries))
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func newKey(name string) (note.Signer, note.Verifier) {
	private, public, err := note.GenerateKey(rand.Reader, name)
	check(err)
	signer, err := note.NewSigner(private)
	check(err)
	verifier, err := note.NewVerifier(public)
	check(err)
	return signer, verifier
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
