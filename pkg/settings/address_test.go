package settings

import (
	"strings"
	"testing"
)

// withBitrix is the minimal file with another bitrix24 block.
func withBitrix(block string) string {
	return "projects:\n  - id: shop\n    ringostat: {token: shop-token-1}\n    senior: 1\n    bitrix24: " + block + "\n"
}

func TestBothWaysToWriteAWebhookMeanTheSameAddress(t *testing.T) {
	for _, block := range []string{
		`{webhook: "https://example.bitrix24.ua/rest/15/s3cr-E.t_~/"}`,
		`{webhook: "https://example.bitrix24.ua/rest/15/s3cr-E.t_~"}`,
		`{webhook: "https://example.bitrix24.ua/rest/15/s3cr-E.t_~/profile/"}`,
		`{webhook: "https://example.bitrix24.ua/rest/15/s3cr-E.t_~/profile"}`,
		`{webhook: "https://example.bitrix24.ua/rest/15/s3cr-E.t_~/crm.lead.add.json"}`,
		`{portal: example.bitrix24.ua, user: 15, secret: s3cr-E.t_~}`,
		`{portal: "https://example.bitrix24.ua/", user: "15", secret: s3cr-E.t_~}`,
	} {
		portal, user, secret := parse(t, withBitrix(block), nil).Projects[0].Bitrix24.Address()
		if portal.String() != "https://example.bitrix24.ua" || user != "15" || secret.Reveal() != "s3cr-E.t_~" {
			t.Errorf("%s: got %v, %q, %q, want https://example.bitrix24.ua, 15, s3cr-E.t_~", block, portal, user, secret.Reveal())
		}
	}
}

func TestAPortalOnThePremisesMayHaveAPort(t *testing.T) {
	portal, _, _ := parse(t, withBitrix(`{webhook: "https://crm.example.com:8443/rest/1/abc/"}`), nil).Projects[0].Bitrix24.Address()
	if portal.String() != "https://crm.example.com:8443" {
		t.Errorf("portal %v, want https://crm.example.com:8443", portal)
	}
}

func TestAllowInsecureAcceptsPlainAndInsideAddresses(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:8090", "http://[::1]:8090", "http://localhost:8090", "https://192.168.1.7", "http://portal", "http://example.com"} {
		source := withBitrix(`{allow_insecure: true, webhook: "` + address + `/rest/1/secret/"}`)
		portal, user, secret := parse(t, source, nil).Projects[0].Bitrix24.Address()
		if portal.String() != address || user != "1" || secret.Reveal() != "secret" {
			t.Errorf("%s: got %v, %q, %q", address, portal, user, secret.Reveal())
		}
		refused := strings.Replace(source, "allow_insecure: true, ", "", 1)
		if _, err := Parse("f.yaml", []byte(refused), nil, nil); err == nil {
			t.Errorf("%s: accepted without allow_insecure, want an error", address)
		}
	}
	source := strings.Replace(withBitrix(`{allow_insecure: true, webhook: "http://127.0.0.1:1/rest/1/secret/"}`),
		"{token: ", `{api_url: "http://127.0.0.1:2", token: `, 1)
	if got := parse(t, source, nil).Projects[0].Ringostat.APIURL; got != "http://127.0.0.1:2" {
		t.Errorf("api_url %q, want http://127.0.0.1:2", got)
	}
}

func TestInsideAddressesAreRefusedHoweverTheyAreSpelled(t *testing.T) {
	for _, host := range []string{
		"10.0.0.1", "127.0.0.1", "169.254.169.254", "[fe80::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0x7f000001", "017700000001", "127.1", "1",
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "portal.local", "portal.internal", "metadata.google.internal", "portal.lan", "router.home.arpa", "portal",
		"%31%32%37.0.0.1", "１２７.0.0.1", "exa mple.com", "example..com", "-example.com", "example.com%00.bitrix24.ua", "[::1", "",
	} {
		for _, block := range []string{`{webhook: "https://` + host + `/rest/1/secret/"}`, `{portal: "` + host + `", user: 1, secret: secret}`, `{portal: "https://` + host + `", user: 1, secret: secret}`} {
			if _, err := Parse("f.yaml", []byte(withBitrix(block)), nil, nil); err == nil {
				t.Errorf("%s was accepted, want an error", block)
			}
		}
	}
}

func TestSettingsWithoutAnAddressHaveNoPortal(t *testing.T) {
	for _, b := range []Bitrix24{{}, {Webhook: "nonsense"}, {Webhook: "https://example.com/"}} {
		if portal, user, secret := b.Address(); portal != nil || user != "" || secret != "" {
			t.Errorf("%v: got %v, %q, %q, want nothing", b, portal, user, secret)
		}
	}
}
