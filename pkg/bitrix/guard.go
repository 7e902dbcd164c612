package bitrix

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// errForbidden is a portal whose name leads into a private network.
var errForbidden = errors.New("the portal's name leads to a private, local or reserved address, which allow_insecure: true would permit")

// closedRanges is where no public portal can be: the special-purpose
// registries of IANA (RFC 6890 and its updates) and one address that a cloud
// uses for the metadata of its machines although it is public.
var closedRanges = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
	"::/8", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// embedding are the ranges that carry an IPv4 address, which is what counts,
// with the byte at which it begins: NAT64 (RFC 6052) and 6to4 (RFC 3056).
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// public reports whether a portal may be at this address.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() {
		bytes := a.As16()
		for _, e := range embedding {
			if e.prefix.Contains(a) {
				return public(netip.AddrFrom4([4]byte(bytes[e.at : e.at+4])))
			}
		}
	}
	for _, p := range closedRanges {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// dialer connects to public addresses only. It judges the address that is
// really dialled, after the name was resolved, so a name that changes between
// two look-ups gains nothing.
func dialer(allowInsecure bool) *net.Dialer {
	d := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	if !allowInsecure {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !public(at.Addr()) {
				return errForbidden
			}
			return nil
		}
	}
	return d
}
