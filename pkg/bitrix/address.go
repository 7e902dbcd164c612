package bitrix

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	userID     = regexp.MustCompile(`^[1-9][0-9]{0,9}$`)
	secretText = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	hostName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
)

// ParseWebhook takes apart the address that Bitrix24 shows for an incoming
// webhook, https://PORTAL/rest/USER/SECRET/; a method behind it, as in
// …/profile/, and a query are ignored. portal has the scheme and the host only.
// The error never holds any part of the text.
// https://apidocs.bitrix24.com/local-integrations/local-webhooks.html
func ParseWebhook(s string) (portal *url.URL, user, secret string, err error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Opaque != "" {
		return nil, "", "", errors.New("webhook address: not a URL; want https://PORTAL/rest/USER/SECRET/")
	}
	portal = &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
	if err := checkPortal(portal); err != nil {
		return nil, "", "", err
	}
	if u.User != nil {
		return nil, "", "", errors.New("webhook address: has a user name in front of the host; want https://PORTAL/rest/USER/SECRET/")
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	if len(parts) < 3 || len(parts) > 4 || parts[0] != "rest" {
		return nil, "", "", errors.New("webhook address: the path is not /rest/USER/SECRET/")
	}
	if err := checkCredentials(parts[1], parts[2]); err != nil {
		return nil, "", "", err
	}
	return portal, parts[1], parts[2], nil
}

// checkPortal accepts a scheme and a host, and nothing else.
func checkPortal(portal *url.URL) error {
	switch {
	case portal == nil || portal.Host == "":
		return errors.New("portal address: no host; want https://PORTAL")
	case portal.Scheme != "https" && portal.Scheme != "http":
		return errors.New("portal address: does not begin with https://")
	case portal.User != nil || portal.Opaque != "":
		return errors.New("portal address: has more than a scheme and a host; want https://PORTAL")
	}
	host := portal.Hostname()
	if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(strings.ToLower(host)) {
		return errors.New("portal address: the host is not a name of latin letters, digits, dots and dashes")
	}
	return nil
}

func checkCredentials(user, secret string) error {
	if !userID.MatchString(user) {
		return errors.New("webhook address: the part after /rest/ is not a user number")
	}
	if !secretText.MatchString(secret) {
		return errors.New("webhook address: the secret is empty or has characters that Bitrix24 does not use")
	}
	return nil
}

// cloudZones are the domains under which the vendor gives portals their names.
// A renamed portal is followed within them only, because anyone can register
// another bitrix24.something. The vendor publishes no list; a zone that is
// missing here only means that a person must enter the new address.
var cloudZones = []string{
	"bitrix24.com", "bitrix24.eu", "bitrix24.ua", "bitrix24.ru", "bitrix24.by", "bitrix24.kz", "bitrix24.de",
	"bitrix24.fr", "bitrix24.es", "bitrix24.it", "bitrix24.pl", "bitrix24.uk", "bitrix24.in", "bitrix24.cn",
	"bitrix24.jp", "bitrix24.vn", "bitrix24.id", "bitrix24.com.br", "bitrix24.com.tr", "bitrix24.mx", "bitrix24.co",
}

// successor decides where a portal that answers "moved" may be asked instead:
// at another https host of the vendor's zones, and only if the place is one of
// the REST interface. Everything else (a licence page, a login page, another
// company's host) is no successor. https://apidocs.bitrix24.com, "change of
// domain".
func successor(from *url.URL, location string) (*url.URL, bool) {
	to, err := from.Parse(location)
	if err != nil || to.Scheme != "https" || to.User != nil || to.Port() != "" && to.Port() != "443" {
		return nil, false
	}
	host := strings.ToLower(to.Hostname())
	if host == strings.ToLower(from.Hostname()) || !cloudHost(host) || !cloudHost(from.Hostname()) {
		return nil, false
	}
	if !strings.HasPrefix(to.Path, "/rest/") {
		return nil, false
	}
	return &url.URL{Scheme: "https", Host: host}, true
}

func cloudHost(host string) bool {
	name, zone, ok := strings.Cut(strings.ToLower(host), ".")
	return ok && hostName.MatchString(name) && slices.Contains(cloudZones, zone)
}
