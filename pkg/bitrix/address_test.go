package bitrix

import (
	"net/url"
	"strings"
	"testing"
)

func TestAWebhookAddressIsTakenApart(t *testing.T) {
	for _, s := range []string{
		"https://shop.bitrix24.ua/rest/7/abc123XYZ/", "https://shop.bitrix24.ua/rest/7/abc123XYZ", " https://SHOP.bitrix24.ua/rest/7/abc123XYZ/\n",
		"https://shop.bitrix24.ua/rest/7/abc123XYZ/profile/", "https://shop.bitrix24.ua/rest/7/abc123XYZ/profile.json?x=1#y",
		"HTTPS://shop.bitrix24.ua//rest/7/abc123XYZ/",
	} {
		portal, user, secret, err := ParseWebhook(s)
		if err != nil || portal.String() != "https://shop.bitrix24.ua" || user != "7" || secret != "abc123XYZ" {
			t.Errorf("%q: got %v %q %q, %v", s, portal, user, secret, err)
		}
	}
	if portal, _, _, err := ParseWebhook("http://127.0.0.1:8081/rest/1/secret/"); err != nil || portal.String() != "http://127.0.0.1:8081" {
		t.Errorf("a test portal: got %v, %v", portal, err)
	}
}

func TestAWrongWebhookAddressIsRefusedWithoutRepeatingIt(t *testing.T) {
	for _, s := range []string{
		"", "shop.bitrix24.ua/rest/7/CANARY/", "https://", "https:///rest/7/CANARY/", "mailto:CANARY", "ftp://shop.bitrix24.ua/rest/7/CANARY/",
		"https://shop.bitrix24.ua/", "https://shop.bitrix24.ua/rest/", "https://shop.bitrix24.ua/rest/7/", "https://shop.bitrix24.ua/rest/CANARY/7/",
		"https://shop.bitrix24.ua/rest/0/CANARY/", "https://shop.bitrix24.ua/rest/-1/CANARY/", "https://shop.bitrix24.ua/rest/7/CAN%2FARY/",
		"https://shop.bitrix24.ua/rest/7/../CANARY", "https://shop.bitrix24.ua/rest/7/CANARY/profile/x", "https://shop.bitrix24.ua/api/7/CANARY/",
		"https://u:CANARY@shop.bitrix24.ua/rest/7/x/", "https://shop.bitrix24.ua/rest/api/7/CANARY", "https://шоп.bitrix24.ua/rest/7/CANARY/",
		"https://shop.bitrix24.ua:CANARY/rest/7/x/", "https://sh op/rest/7/CANARY/", "https://shop.bitrix24.ua/rest/7/CANARY\x7f/", "%CANARY",
	} {
		portal, user, secret, err := ParseWebhook(s)
		if err == nil {
			t.Errorf("%q: got %v %q %q, want an error", s, portal, user, secret)
		} else if strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: the error repeats it: %v", s, err)
		}
	}
}

func FuzzParseWebhook(f *testing.F) {
	for _, s := range []string{"https://shop.bitrix24.ua/rest/7/abc123XYZ/profile/", "http://[::1]:80/rest/1/a", "https://a@b/rest/1/x", "https://x/rest/1/%41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		portal, user, secret, err := ParseWebhook(s)
		if err != nil {
			return
		}
		again, user2, secret2, err := ParseWebhook(portal.String() + "/rest/" + user + "/" + secret + "/")
		if err != nil || again.String() != portal.String() || user2 != user || secret2 != secret {
			t.Fatalf("%q: %v %q %q read again: %v %q %q, %v", s, portal, user, secret, again, user2, secret2, err)
		}
		c, err := New(Options{Portal: portal, User: user, Secret: secret, AllowInsecure: true})
		if err != nil {
			t.Fatalf("%q: parsed, but no client: %v", s, err)
		}
		full := "/rest/" + user + "/" + secret + "/profile"
		if u, err := url.Parse(portal.String() + full); err != nil || u.Host != c.portal.Host || u.Path != full || u.RawQuery != "" {
			t.Fatalf("%q: the address %v, %v leads elsewhere", s, u, err)
		}
	})
}
