// Command serve runs one simulated portal over TLS for the conformance script. It prints the
// webhook's address on a line and ends when its standard input is closed. It must never listen
// anywhere but on the loopback address.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func main() {
	certFile := flag.String("cert", "", "where to write the portal's certificate, for NODE_EXTRA_CA_CERTS")
	flag.Parse()
	if err := run(*certFile); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run(certFile string) error {
	cert, text, err := selfSigned()
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.WriteFile(certFile, text, 0o600); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	portal := bitrixtest.New(bitrixtest.Options{HTTPSOnly: true})
	portal.AddUser(bitrixtest.User{ID: 7, Name: "Olena", LastName: "Example", Email: "olena@example.com",
		Active: true, InnerPhone: "101", Mobile: "+380 67 111 22 33"})
	portal.AddUser(bitrixtest.User{ID: 8, Name: "Taras", LastName: "Example", Email: "taras@example.com"})
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: portal, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	fmt.Printf("https://%s%s\n", listener.Addr(), portal.WebhookPath())
	io.Copy(io.Discard, os.Stdin)
	return server.Close()
}

// selfSigned makes a certificate for the loopback address that is good for an hour.
func selfSigned() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "simulated portal"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, text, nil
}
