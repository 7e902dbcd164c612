package event

// Languages are those that people read in.
var Languages = []string{"uk", "ru", "en"}

// Texts are one text in each language: who reads an event may read another language than
// the project's. Events that were stored before there were any have none.
type Texts map[string]string

// InEach asks for a text in each language.
func InEach(text func(lang string) string) Texts {
	out := Texts{}
	for _, lang := range Languages {
		out[lang] = text(lang)
	}
	return out
}

// In is the text in a language, in English where there is none in it, and empty where
// there is none at all.
func (t Texts) In(lang string) string {
	if text, ok := t[lang]; ok {
		return text
	}
	return t["en"]
}
