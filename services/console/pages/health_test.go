package pages

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func healthAPI() *told {
	at := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	return &told{answers: map[string]any{
		"GET /status": map[string]any{
			"waiting": 1234, "in_flight": 2, "in_doubt": 1, "parked": 3, "revision": 4,
			"portal": map[string]any{"state": "slow", "reason": hostile, "since": at, "requests": 5, "per_second": 2.5, "burst": 50, "level": 24.0, "limit": 48.0, "yielded": 0.3,
				"methods": []map[string]any{{"method": "crm.lead.add", "used_s": 455.5, "limit_s": 480.0, "reset_at": at, "blocked_until": at}}},
			"reconciliation": map[string]any{"last_complete": at, "error": "stored words",
				"error_in": map[string]string{"uk": "Ringostat не приймає ключ API.", "ru": "Ringostat не принимает ключ API.", "en": "Ringostat refuses the API key."}},
			"services": []map[string]any{{"name": "writer-shop", "unread": 7, "unsettled": 8, "host": "node-1"}},
			"doubtful": []map[string]any{{"command_id": "c1", "call_id": "1767348000.13", "kind": "task", "phone": "+380671112233"}},
		},
		"GET /program": map[string]any{"version": "1.0.0", "started_at": time.Now().Add(-26 * time.Hour),
			"disk": map[string]any{"used": 15.5 * (1 << 30), "limit": 16 << 30, "free": 44 << 30, "reserve": 1 << 30}},
		"GET /views": map[string]any{"items": []map[string]any{{"view": "console", "state": "rebuilding", "seq": 5, "of": 9, "error": "disk full"}}},
	}}
}

func TestHealthSaysHowThingsStand(t *testing.T) {
	server, client := openWith(t, healthAPI())
	for lang, words := range map[string][]string{
		"uk": {"1\u00a0234", "відповідає повільно", "запитів за секунду: 2,5; відмова після 50 поспіль", "455,5 с із 480 с", "закрито до 12:00:00", "Запис у Bitrix24", "15,5\u00a0ГБ із 16\u00a0ГБ", "Місця лишилося мало", "будується наново", "Ringostat не приймає ключ API.", "30,0\u00a0%"},
		"ru": {"отвечает медленно", "455,5 с из 480 с", "закрыт до 12:00:00", "Запись в Bitrix24", "Места осталось мало", "Ringostat не принимает ключ API.", "строится заново"},
		"en": {"1,234", "slow", "requests a second: 2.5", "455.5 s of 480 s", "blocked until 12:00:00", "Writing to Bitrix24", "15.5\u00a0GB of 16\u00a0GB", "Little space is left", "Ringostat refuses the API key.", "being rebuilt", "26 h 0 min"},
	} {
		code, body := visitIn(t, client, lang, server.URL+"/console/p/shop/health")
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", lang, code, body)
		}
		for _, w := range append(words, "node-1", `href="/console/p/shop/calls/1767348000.13"`, `data-every="3"`) {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
		neverActs(t, body)
		if strings.Contains(body, " style=") {
			t.Errorf("%s: a style attribute, which the policy forbids", lang)
		}
	}
}

func TestHealthRefreshesOneBlock(t *testing.T) {
	server, client := openWith(t, healthAPI())
	r, _ := http.NewRequest(http.MethodGet, server.URL+"/console/p/shop/health", nil)
	r.Header.Set("HX-Target", "health")
	answer, err := client.Do(r)
	if code, body, _ := read(t, answer, err); code != http.StatusOK || strings.Contains(body, "<html") || !strings.HasPrefix(strings.TrimSpace(body), `<div id="health"`) {
		t.Errorf("the block: %d %.200s", code, body)
	}
}
