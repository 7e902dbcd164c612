package pages

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// linesOf writes renamed parameters as the form shows them: ours: theirs, a line each.
func linesOf(names map[string]string) string {
	var lines []string
	for _, ours := range slices.Sorted(maps.Keys(names)) {
		lines = append(lines, ours+": "+names[ours])
	}
	return strings.Join(lines, "\n")
}

// namesOf reads such lines, and returns the first that is none. Blank ones are nothing.
func namesOf(text string) (names map[string]string, bad string) {
	names = map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		ours, theirs, ok := strings.Cut(line, ":")
		ours, theirs = strings.TrimSpace(ours), strings.TrimSpace(theirs)
		if _, twice := names[ours]; !ok || twice || ours == "" || theirs == "" {
			return nil, line
		}
		names[ours] = theirs
	}
	return names, ""
}

// changeNames takes the names that this project gave Ringostat's parameters.
func (v *visit) changeNames() {
	f := v.form()
	names, bad := namesOf(f.Get("names"))
	d := v.setupData()
	d.Revision, d.Names, d.code = f.Get("revision"), f.Get("names"), http.StatusUnprocessableEntity
	if bad != "" {
		d.WrongNames.Trouble = v.T("names.bad", bad)
		v.renderForm(d.code, "setup", d)
		return
	}
	err := v.change(func(b block) { b.under("ringostat")["fields"] = names })
	if err == nil {
		v.saved("setup", "names")
		return
	}
	d.code, d.WrongNames = v.wrongOf(err, among()) // there is one field, so all stands above it
	v.renderForm(d.code, "setup", d)
}
