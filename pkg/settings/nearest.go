package settings

// Nearest returns the word of known that a person most likely meant when they
// wrote word, or "" when none is near. Upper and lower case, - and _ count as
// half a mistake; of equally near words the first one wins.
func Nearest(word string, known []string) string {
	best, bestCost := "", 0
	for _, candidate := range known {
		cost := distance(fold(word), fold(candidate))*2 + differs(word, candidate)
		if best == "" || cost < bestCost {
			best, bestCost = candidate, cost
		}
	}
	// A third of the word may be wrong, but never all of it.
	letters := max(len([]rune(word)), len([]rune(best)))
	if best == "" || bestCost > max(3, letters*2/3+1) || bestCost >= letters*2 {
		return ""
	}
	return best
}

func differs(a, b string) int {
	if a == b {
		return 0
	}
	return 1
}

func fold(word string) []rune {
	letters := []rune(word)
	for i, c := range letters {
		switch {
		case c >= 'A' && c <= 'Z':
			letters[i] = c + 'a' - 'A'
		case c == '-' || c == ' ':
			letters[i] = '_'
		}
	}
	return letters
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour (optimal string alignment).
func distance(a, b []rune) int {
	var before []int
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
