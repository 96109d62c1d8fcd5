// Command torture runs networks of real dure processes under a seeded schedule of faults and writes a report.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dureledger/dure/internal/torture"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	c := torture.Config{Recovery: 10 * time.Second}
	minutes := flag.Float64("minutes", 30, "how long to go on in all")
	flag.StringVar(&c.Binary, "binary", "bin/dure", "the dure to run")
	flag.IntVar(&c.Members, "members", 4, "members of the network")
	flag.Uint64Var(&c.Seed, "seed", rand.Uint64N(1_000_000), "what decides the faults; the same seed gives the same")
	flag.IntVar(&c.Rate, "rate", 200, "transfers a second to offer besides the clients that are checked for linearizability")
	flag.DurationVar(&c.Recovery, "recovery", c.Recovery, "how long recovery may take")
	flag.StringVar(&c.LogLevel, "log-level", "", "of the nodes")
	joined := flag.String("joined", "", "how members are joined: proxies, namespaces (root), or empty: half the time each if root, else proxies")
	kind := flag.String("fault", "", "the only kind of fault: kill, kill again, freeze, cut or bad links")
	report := flag.String("report", "torture.md", "file to write; its .json is for programs")
	flag.Parse()
	if *kind != "" {
		c.Kinds = []torture.Kind{torture.Kind(*kind)}
	}
	binary, err := filepath.Abs(c.Binary)
	if err != nil {
		return err
	}
	c.Binary = binary
	c.Progress = func(r torture.Round) { fmt.Println(r) }

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var reports []*torture.Report
	ways := waysOf(*joined)
	for _, namespaces := range ways {
		c.Namespaces, c.Duration = namespaces, time.Duration(*minutes*float64(time.Minute))/time.Duration(len(ways))
		r, err := one(ctx, c)
		if r != nil {
			reports = append(reports, r)
		}
		if err := errors.Join(err, write(*report, reports)); err != nil {
			return err
		}
		if v := r.Violations(); len(v) > 0 {
			return fmt.Errorf("%d violations, the first: %s", len(v), v[0])
		}
	}
	fmt.Printf("No violation. %s has the report.\n", *report)
	return nil
}

// waysOf says for each run whether it uses namespaces.
func waysOf(joined string) []bool {
	switch {
	case joined == "proxies", joined == "" && os.Geteuid() != 0:
		return []bool{false}
	case joined == "namespaces":
		return []bool{true}
	}
	return []bool{false, true}
}

// one is one run in a folder of its own, which stays if something was found.
func one(ctx context.Context, c torture.Config) (*torture.Report, error) {
	dir, err := os.MkdirTemp("", "dure-torture-*")
	if err != nil {
		return nil, err
	}
	c.Dir = dir
	fmt.Printf("seed %d, namespaces %v, in %s\n", c.Seed, c.Namespaces, dir)
	r, err := torture.Run(ctx, c)
	if err == nil && len(r.Violations()) == 0 {
		err = os.RemoveAll(dir)
	}
	return r, err
}

func write(file string, reports []*torture.Report) error {
	text, err := os.Create(file)
	if err != nil {
		return err
	}
	for _, r := range reports {
		r.Markdown(text)
	}
	data, err := os.Create(file + ".json")
	if err != nil {
		return errors.Join(err, text.Close())
	}
	return errors.Join(text.Close(), torture.JSON(data, reports...), data.Close())
}
