package pages

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// This file draws numbers as SVG on the server: a picture that can be printed, needs no
// script and no style attribute, which the policy of the pages forbids, and is the same
// in every browser. Widths are shares of the place there is, heights and letters are
// pixels, so that a chart on a phone keeps its letters readable.

// series is one of the things that are counted in every column.
type series struct {
	Class string // its colour in console.css and its pattern in fills: answered, missed, …
	Name  string
}

// column is one place on the chart's ground line.
type column struct {
	Label  string // below it, short
	Name   string // in the table, and when pointed at
	Values []int  // in the order of the series
}

func (c column) Total() (n int) {
	for _, v := range c.Values {
		n += v
	}
	return n
}

// chart is stacked columns.
type chart struct {
	ID      string // of the element, unlike any other of the page
	Title   string
	Note    string // for who can't see the picture
	Over    string // what the columns are: the heading of the table's first column
	Total   string // the heading of the sums; empty: there are none
	Series  []series
	Columns []column
	Number  func(int) string
}

// fills are the patterns of the series, so that they can be told apart without colours.
// A page with charts holds them once.
const fills = template.HTML(`<svg class="fills" width="0" height="0" aria-hidden="true"><defs>` +
	`<pattern id="fill-missed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="missed" width="6" height="6"/><rect class="mark" width="2" height="6"/></pattern>` +
	`<pattern id="fill-voicemail" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="voicemail" width="6" height="6"/><circle class="mark" cx="3" cy="3" r="1.4"/></pattern>` +
	`<pattern id="fill-known" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="known" width="5" height="5"/><rect class="mark" width="5" height="1.5"/></pattern>` +
	`<pattern id="fill-outbound" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="outbound" width="6" height="6"/><rect class="mark" width="1.5" height="6"/></pattern>` +
	`</defs></svg>`)

// patterned are the series that [fills] holds; others are filled with their colour.
const patterned = " missed voicemail known outbound "

// Heights in pixels: the room above the ground line, where it is, and all of it.
const (
	chartRoom   = 180
	chartGround = 200
	chartHeight = 224
)

// SVG is the picture.
func (c chart) SVG() template.HTML {
	most := 0
	for _, col := range c.Columns {
		most = max(most, col.Total())
	}
	step, top := steps(most)
	height := func(n int) int { return (n*chartRoom + top/2) / top }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" width="100%%" height="%d" role="img" aria-labelledby="%[2]s-title %[2]s-note">`, chartHeight, c.ID)
	fmt.Fprintf(&b, "\n<title id=\"%s-title\">%s</title><desc id=\"%[1]s-note\">%[3]s</desc>\n", c.ID, text(c.Title), text(c.Note))
	for n := 0; n <= top; n += step {
		y := chartGround - height(n)
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="100%%" y1="%d" y2="%[1]d"/><text x="-6" y="%d" text-anchor="end">%s</text>`+"\n", y, y+4, text(c.Number(n)))
	}
	const fewest = 8 // a single column is no wall
	width := 100 / float64(max(fewest, len(c.Columns)))
	wide, narrow := c.everyNth()
	for i, col := range c.Columns {
		left := float64(i) * width
		middle := share(left + width/2)
		b.WriteString("<g><title>" + text(c.told(col)) + "</title>")
		y := chartGround
		for s, n := range col.Values {
			if n == 0 {
				continue
			}
			h := max(1, height(n))
			y -= h
			fmt.Fprintf(&b, `<rect %s x="%s" y="%d" width="%s" height="%d"/>`, fill(c.Series[s].Class), share(left+width*0.12), y, share(width*0.76), h)
		}
		if total := col.Total(); total > 0 && len(c.Columns) <= 16 {
			fmt.Fprintf(&b, `<text class="sum%s" x="%s" y="%d" text-anchor="middle">%s</text>`, only(len(c.Columns) > fewest), middle, y-5, text(c.Number(total)))
		}
		if i%wide == 0 {
			fmt.Fprintf(&b, `<text class="label%s" x="%s" y="%d" text-anchor="middle">%s</text>`, only(i%narrow != 0), middle, chartGround+16, text(col.Label))
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// told is a column in words.
func (c chart) told(col column) string {
	parts := make([]string, len(c.Series))
	for i, s := range c.Series {
		parts[i] = s.Name + " " + c.Number(col.Values[i])
	}
	return col.Name + ": " + strings.Join(parts, ", ")
}

// everyNth says which labels have room where the chart is wide, and where it is narrow.
func (c chart) everyNth() (wide, narrow int) {
	longest := 0
	for _, col := range c.Columns {
		longest = max(longest, len([]rune(col.Label)))
	}
	roomWide, roomNarrow := 10, 5
	if longest <= 2 {
		roomWide, roomNarrow = 24, 8
	}
	wide = max(1, (len(c.Columns)+roomWide-1)/roomWide)
	narrow = wide * max(1, (len(c.Columns)+wide*roomNarrow-1)/(wide*roomNarrow))
	return wide, narrow
}

// bar is one line of several parts, as long as its share of most. The numbers stand
// beside it as text.
func bar(most int, names []series, values []int) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="bar" width="100%" height="12" aria-hidden="true">`)
	x := 0.0
	for i, n := range values {
		if n == 0 || most == 0 {
			continue
		}
		w := 100 * float64(n) / float64(most)
		fmt.Fprintf(&b, `<rect %s x="%s" width="%s" height="12"/>`, fill(names[i].Class), share(x), share(w))
		x += w
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// Swatch is the series in the legend.
func (s series) Swatch() template.HTML {
	return template.HTML(`<svg width="14" height="14" aria-hidden="true"><rect ` + fill(s.Class) + ` width="14" height="14"/></svg>`)
}

func fill(class string) string {
	if strings.Contains(patterned, " "+class+" ") {
		return `fill="url(#fill-` + class + `)"`
	}
	return `class="` + class + `"`
}

// only marks what is left out where the chart is narrow.
func only(wide bool) string {
	if wide {
		return " wide"
	}
	return ""
}

// steps are round numbers for the lines behind a chart, at most five of them, and the
// highest line.
func steps(most int) (step, top int) {
	step = 1
	for i := 0; (most+step-1)/step > 4; i++ {
		step = step * []int{2, 5, 2}[i%3] / []int{1, 2, 1}[i%3] // 1, 2, 5, 10, …
	}
	return step, max(step, (most+step-1)/step*step)
}

func share(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + "%" }

func text(s string) string { return template.HTMLEscapeString(s) }
