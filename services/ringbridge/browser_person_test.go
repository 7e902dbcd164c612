package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What a person does in a tab. Things are found as a person finds them, by what is
// written on or beside them, among those that can be seen; `in` narrows that to the part
// of the page which a selector picks.

// called is an expression that calls a function with arguments.
func called(function string, arguments ...any) string {
	var text []string
	for _, a := range arguments {
		j, err := json.Marshal(a)
		if err != nil {
			panic(err) // tests pass plain values
		}
		text = append(text, string(j))
	}
	return "(" + function + ")(" + strings.Join(text, ", ") + ")"
}

// named finds the one thing of a kind (a selector) with the name that is read out for
// it: the whole name before its beginning, and that before a part of it.
const named = `(scope, kind, name) => {
	const squeeze = (text) => (text ?? "").replace(/\s+/g, " ").trim();
	const label = (e) => squeeze(e.getAttribute("aria-label"))
		|| squeeze((e.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join(" "))
		|| squeeze([...(e.labels ?? [])].map((l) => [...l.childNodes].filter((n) => n !== e && !n.contains?.(e)).map((n) => n.textContent).join(" ")).join(" "))
		|| squeeze(e.textContent) || squeeze(e.title);
	const parts = scope ? [...document.querySelectorAll(scope)] : [document];
	const all = parts.flatMap((p) => [...p.querySelectorAll(kind)]).filter((e) => e.checkVisibility({visibilityProperty: true}));
	return all.find((e) => label(e) === name) ?? all.find((e) => label(e).startsWith(name)) ?? all.find((e) => label(e).includes(name)) ?? null;
}`

const (
	clickable = `a[href], button, summary, input[type=submit], input[type=checkbox], input[type=radio]`
	fillable  = `input:not([type=hidden], [type=checkbox], [type=radio]), textarea, select`
)

// in narrows what is looked for to the parts of the page that the selector picks.
type in string

func scopeOf(where []in) string {
	if len(where) == 0 {
		return ""
	}
	return string(where[0])
}

// open types an address of the program.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.base+path))
}

// click clicks the link, button, summary or box of that name.
func (b *tab) click(name string, where ...in) {
	b.t.Helper()
	b.until(`there is "`+name+`" to click`, `(...a) => (`+named+`)(...a) !== null`, scopeOf(where), clickable, name)
	b.do("click "+name, chromedp.Click(chromedp.JSPath(called(named, scopeOf(where), clickable, name))))
}

// fill replaces what is in the field of that label by typing.
func (b *tab) fill(label, text string, where ...in) {
	b.t.Helper()
	b.until(`there is a field "`+label+`"`, `(...a) => (`+named+`)(...a) !== null`, scopeOf(where), fillable, label)
	field := chromedp.JSPath(called(named, scopeOf(where), fillable, label))
	b.do("fill "+label, chromedp.Focus(field), chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(kb.Delete),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
			return err
		}))
}

// pick chooses what reads so in the list of that label. A list's own window is the
// system's and can't be driven, so the choice is made and told as the browser would.
func (b *tab) pick(label, option string, where ...in) {
	b.t.Helper()
	b.until(`"`+option+`" can be picked in "`+label+`"`, `(scope, kind, label, option) => {
		const list = (`+named+`)(scope, kind, label);
		const found = [...(list?.options ?? [])].find((o) => o.textContent.trim() === option) ?? [...(list?.options ?? [])].find((o) => o.textContent.includes(option));
		if (!found) return false;
		list.focus();
		list.value = found.value;
		list.dispatchEvent(new Event("input", {bubbles: true}));
		list.dispatchEvent(new Event("change", {bubbles: true}));
		return true;
	}`, scopeOf(where), "select", label, option)
}

// press presses keys one after the other.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do("press a key", chromedp.KeyEvent(key))
	}
}

// focused is what the keyboard is on, by its name.
func (b *tab) focused() string {
	b.t.Helper()
	return mustAsk[string](b, `() => (document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").replace(/\s+/g, " ").trim()`)
}

// tabTo presses Tab until the keyboard is on what the selector picks.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 120 {
		b.press(kb.Tab)
		if mustAsk[bool](b, `(s) => document.activeElement?.matches(s) ?? false`, selector) {
			return
		}
	}
	b.t.Fatalf("120 steps of Tab at %s don't lead to %s", b.address(), selector)
}

// see waits until the text can be read.
func (b *tab) see(text string, where ...in) {
	b.t.Helper()
	b.until(`"`+text+`" can be read`, reads, scopeOf(where), text)
}

// gone waits until the text can be read no longer.
func (b *tab) gone(text string, where ...in) {
	b.t.Helper()
	b.until(`"`+text+`" is gone`, `(...a) => !(`+reads+`)(...a)`, scopeOf(where), text)
}

const reads = `(scope, text) => {
	const parts = scope ? [...document.querySelectorAll(scope)] : [document.body];
	return parts.some((p) => p.innerText.replace(/\s+/g, " ").includes(text.replace(/\s+/g, " ")));
}`

// count is how many things the selector picks that can be seen.
func (b *tab) count(selector string) int {
	b.t.Helper()
	return mustAsk[int](b, `(s) => [...document.querySelectorAll(s)].filter((e) => e.checkVisibility()).length`, selector)
}

// value is what stands in the field of that label.
func (b *tab) value(label string, where ...in) string {
	b.t.Helper()
	b.until(`there is a field "`+label+`"`, `(...a) => (`+named+`)(...a) !== null`, scopeOf(where), fillable, label)
	return mustAsk[string](b, `(...a) => (`+named+`)(...a).value`, scopeOf(where), fillable, label)
}

// withoutScripts is a browser that runs none of ours.
func (b *tab) withoutScripts() {
	b.t.Helper()
	b.do("turn scripts off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// wants makes the browser ask for languages, as its settings do.
func (b *tab) wants(languages string) {
	b.t.Helper()
	b.do("ask for languages", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": languages}})
		return err
	}))
}

// speak chooses a language as a person does.
func (b *tab) speak(lang string) {
	b.t.Helper()
	if mustAsk[bool](b, `(lang) => document.documentElement.lang === lang`, lang) {
		return
	}
	b.click(lang, ".languages")
	b.until("the page is in "+lang, `(lang) => document.readyState === "complete" && document.documentElement.lang === lang`, lang)
}

// signIn signs in with the console's token.
func (b *tab) signIn(token string) {
	b.t.Helper()
	b.open("/console/signin")
	b.speak("en")
	b.fill("Console token", token)
	b.click("Sign in", "main")
	b.see("Sign out")
}
