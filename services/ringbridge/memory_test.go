package main

import "testing"

func TestTheHeapGrowsByAboutTheSameHoweverMuchIsKept(t *testing.T) {
	for alive, want := range map[uint64]int{0: 100, 8 << 20: 100, 48 << 20: 100, 96 << 20: 50, 128 << 20: 37, 192 << 20: 25, 2 << 30: 25} {
		if got := gcPercent(alive); got != want {
			t.Errorf("with %d MiB alive the heap may grow by %d %%, want %d", alive>>20, got, want)
		}
	}
}
