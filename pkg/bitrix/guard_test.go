package bitrix

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestPrivateAndReservedAddressesAreClosed(t *testing.T) {
	closed := `0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.8.8.8 168.63.129.16 169.254.169.254 172.16.0.1
		172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
		:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::1
		2002:7f00:1:: 2002:a9fe:a9fe::1 2002:c0a8:101::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 100::1 3fff::1 5f00::1
		fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1`
	for _, text := range strings.Fields(closed) {
		if public(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as public", text)
		}
	}
	for _, text := range strings.Fields("8.8.8.8 1.1.1.1 172.15.0.1 172.32.0.1 100.63.255.255 100.128.0.1 169.253.0.1 192.167.1.1 198.17.0.1 198.20.0.1 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1 2606:4700::1111 2a00:1450::1") {
		if !public(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as closed", text)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address counts as public")
	}
}

func TestAPublicNameThatLeadsInsideIsNotDialled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c, err := New(Options{Portal: &url.URL{Scheme: "https", Host: "localhost:" + port}, User: "1", Secret: canary})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Call(context.Background(), "profile", nil)
	if e := failure(t, err); e.Class != Wait || e.Reason != ReasonForbidden || e.Stage != StageUnsent {
		t.Errorf("got %v, want wait, forbidden_address", err)
	}
	harmless(t, "a guarded name", err)
}

func TestNoProxyIsReadFromTheEnvironment(t *testing.T) {
	if p := newTransport(false).Proxy; p != nil {
		t.Error("the transport asks for a proxy")
	}
	if newTransport(false) == http.DefaultTransport {
		t.Error("the transport is shared")
	}
}
