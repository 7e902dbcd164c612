package bitrixtest

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// encode prints a result as the portal's PHP encoder does: "/" as "\/", non-ASCII as \uXXXX in
// lower case, angle brackets as \u003C and \u003E, an empty map as [], a map with the keys 0..n-1 as
// a list, whole floats without a fraction.
func encode(v any) []byte {
	var b bytes.Buffer
	write(&b, v)
	return b.Bytes()
}

func write(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			v = 0
		}
		b.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
	case string:
		writeString(b, v)
	case blank:
		b.WriteString("{}")
	case *array:
		writeArray(b, v)
	default:
		panic(fmt.Sprintf("bitrixtest: a %T cannot be sent", v))
	}
}

func writeArray(b *bytes.Buffer, a *array) {
	if a.isList() {
		b.WriteByte('[')
		for i, v := range a.values() {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, v)
		}
		b.WriteByte(']')
		return
	}
	b.WriteByte('{')
	for i, k := range a.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		writeString(b, k)
		b.WriteByte(':')
		write(b, a.vals[k])
	}
	b.WriteByte('}')
}

// shortEscapes are the characters with an escape of their own; angle brackets are the only ones
// PHP prints with capital hexadecimal digits.
var shortEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
	'<': `\u003C`, '>': `\u003E`,
}

func writeString(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch esc, ok := shortEscapes[r]; {
		case ok:
			b.WriteString(esc)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		case r < ' ' || r >= utf8.RuneSelf:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
