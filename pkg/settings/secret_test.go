package settings

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// secretParts are the secrets of testdata/full.yaml as the texts to look for.
var secretParts = []string{"console-token-1", key32Bytes, "shop-token-", "ringostat-key-1", "portal-secret-1", "636f6e736f6c652d"}

func TestASecretIsInNothingThatIsPrinted(t *testing.T) {
	config := parse(t, fullFile(t), fullEnv)
	p := config.Projects[0]
	inParts := p
	inParts.Bitrix24.Webhook, inParts.Bitrix24.Portal, inParts.Bitrix24.User, inParts.Bitrix24.Secret = "", "example.bitrix24.ua", "1", "portal-secret-1"
	_, _, secret := p.Bitrix24.Address()
	for name, value := range map[string]any{
		"Config": config, "*Config": &config, "Project": p, "*Project": &p, "parts": inParts, "Bitrix24": p.Bitrix24, "Ringostat": p.Ringostat,
		"Secret": secret, "[]Secret": p.Ringostat.Tokens, "map": map[string]Secret{"a": secret}, "any": []any{secret, &secret, config.Console},
	} {
		for printed, text := range everyPrint(t, value) {
			for _, part := range secretParts {
				if strings.Contains(text, part) {
					t.Errorf("%s of %s holds %q:\n%s", printed, name, part, text)
				}
			}
			if !strings.Contains(text, Mask) && !strings.HasPrefix(text, "(0x") && text != "" && printed != "%d" && printed != "%p" {
				t.Errorf("%s of %s doesn't show that there is a secret:\n%s", printed, name, text)
			}
		}
	}
}

// everyPrint prints value in every way that this program could come upon.
func everyPrint(t *testing.T, value any) map[string]string {
	t.Helper()
	prints := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		prints[verb] = fmt.Sprintf(verb, value)
	}
	prints["wrapped"] = fmt.Errorf("settings %v", value).Error()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	prints["yaml"] = string(text)
	text, err = json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	prints["json"] = string(text)

	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("read", "settings", value)
	prints["slog json"] = out.String()
	out = bytes.Buffer{}
	slog.New(slog.NewTextHandler(&out, nil)).Info("read", "settings", value)
	prints["slog text"] = out.String()
	for name, encoder := range map[string]zapcore.Encoder{
		"zap json": zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), "zap console": zapcore.NewConsoleEncoder(zapcore.EncoderConfig{}),
	} {
		out = bytes.Buffer{}
		logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&out), zapcore.DebugLevel))
		logger.Info("read", zap.Any("settings", value), zap.Reflect("again", value))
		logger.Sugar().Infow("read", "settings", value)
		prints[name] = out.String()
	}
	return prints
}

func TestAnEmptySecretShowsThatThereIsNone(t *testing.T) {
	for printed, got := range map[string]string{"%v": fmt.Sprintf("%v", Secret("")), "%#v": fmt.Sprintf("%#v", Secret("")), "String": Secret("").String()} {
		if got != "" {
			t.Errorf("%s of an empty secret: %q, want nothing", printed, got)
		}
	}
	if got := Secret("abc").Reveal(); got != "abc" {
		t.Errorf("Reveal() = %q, want abc", got)
	}
	text, err := xml.Marshal(Console{Token: "abc"})
	if err != nil || !strings.Contains(string(text), Mask) || strings.Contains(string(text), "abc") {
		t.Errorf("xml %s, %v, want the mask", text, err)
	}
}

func TestADurationIsWrittenTheShortWay(t *testing.T) {
	for text, want := range map[string]string{
		"3h": "3h", "90m": "1h30m", "75s": "1m15s", "60s": "1m", "1.5s": "1.5s", "250ms": "250ms", "1h0m1s": "1h0m1s", "0s": "0s", "20m": "20m", "10h": "10h", "100m": "1h40m",
	} {
		source := strings.Replace(minimal, "bitrix24: {", "bitrix24: {settle: "+text+", ", 1)
		settle := parse(t, source, nil).Projects[0].Bitrix24.Settle
		written, err := json.Marshal(settle)
		if err != nil || string(written) != `"`+want+`"` {
			t.Errorf("settle: %s is written as %s (%v), want %q", text, written, err, want)
		}
	}
}
