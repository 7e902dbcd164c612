package phone

// ukrainianCodes are the two digits after +380 whose every number of nine digits is in
// the numbering plan, by their value. A test asks the library.
var ukrainianCodes = func() (codes [100]bool) {
	for _, code := range []int{
		31, 32, 33, 34, 35, 36, 37, 38, 39, 41, 43, 44, 45, 46, 47, 48, 50, 51, 52, 53, 54, 55, 56, 57,
		61, 62, 63, 64, 65, 66, 67, 68, 69, 71, 73, 75, 77, 91, 92, 93, 94, 95, 96, 97, 98, 99,
	} {
		codes[code] = true
	}
	return codes
}()

// ukrainian reads the plainest spellings of a Ukrainian number, which nearly all are,
// without asking the library: +380671112233 anywhere, and in Ukraine also 380671112233,
// 0671112233 and 671112233. The library would say the same, a hundred times later.
func ukrainian(raw, country string) (Number, bool) {
	digits, plus := raw, false
	if raw != "" && raw[0] == '+' {
		digits, plus = raw[1:], true
	}
	if !plus && country != "UA" {
		return "", false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", false
		}
	}
	switch {
	case len(digits) == 12 && digits[:3] == "380":
		digits = digits[3:]
	case len(digits) == 10 && digits[0] == '0' && !plus:
		digits = digits[1:]
	case len(digits) == 9 && !plus:
	default:
		return "", false
	}
	if !ukrainianCodes[(digits[0]-'0')*10+digits[1]-'0'] {
		return "", false
	}
	return Number("+380" + digits), true
}
