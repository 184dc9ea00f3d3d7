package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what processes used: CPU since they started, memory now.
type usage struct {
	cpu, database time.Duration
	memory        int64 // bytes, of the largest of them
}

// clockTick is Linux's for what /proc counts.
const clockTick = time.Second / 100

// stat is one line of /proc. Elsewhere than on Linux there are none, and the
// table shows nothing for CPU and memory.
type stat struct {
	parent int
	cpu    time.Duration
	memory int64
}

func processes() map[int]stat {
	all := map[int]stat{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		_, after, _ := strings.Cut(string(text), ") ") // the name may hold spaces
		fields := strings.Fields(after)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if len(fields) < 22 {
			continue
		}
		number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
		// utime, stime, and those of children that ended.
		ticks := number(11) + number(12) + number(13) + number(14)
		all[pid] = stat{int(number(1)), time.Duration(ticks) * clockTick, number(21) * int64(os.Getpagesize())}
	}
	return all
}

// tree sums up processes with all that they started: CPU, and the memory of
// the largest.
func tree(all map[int]stat, roots ...int) (cpu time.Duration, memory int64) {
	in := map[int]bool{}
	for _, root := range roots {
		in[root] = root != 0
	}
	for grew := true; grew; {
		grew = false
		for pid, s := range all {
			if in[s.parent] && !in[pid] {
				in[pid], grew = true, true
			}
		}
	}
	for pid, s := range all {
		if in[pid] {
			cpu, memory = cpu+s.cpu, max(memory, s.memory)
		}
	}
	return cpu, memory
}

func measure(programs []int, postgres int) usage {
	all := processes()
	cpu, memory := tree(all, programs...)
	database, _ := tree(all, postgres)
	return usage{cpu, database, memory}
}
