package main

import (
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func TestSmoke(t *testing.T) {
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("1700000000.1", nil))
	h.quiet()
	s := h.story("1700000000.1")
	t.Logf("%+v", s)
	for _, l := range h.portal.Leads() {
		t.Logf("%+v", l)
	}
	for _, l := range h.portal.Tasks() {
		t.Logf("%+v", l)
	}
	for _, r := range h.portal.Requests() {
		t.Logf("%s %d %v", r.Method, r.Status, r.Commands)
	}
}
