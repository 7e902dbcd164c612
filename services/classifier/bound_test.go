package classifier

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestALargeRequestMakesASmallCall sends as much as the address takes: what goes on
// through the pipeline must stay far below what the broker stores in one message.
func TestALargeRequestMakesASmallCall(t *testing.T) {
	long := strings.Repeat("ж", 60_000)
	v := url.Values{"colour": {long}, "caller_name": {long}, "landing": {"https://shop.example/" + long}, "recording": {"https://records.example/" + long}}
	for n := range 2000 {
		v.Set(fmt.Sprintf("custom_%d", n), "value")
	}
	c, err := Read(*form(answered(v)), shop(t))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 64<<10 {
		t.Errorf("the call takes %d bytes, want at most 64 KiB", len(data))
	}
	if c.Recording != "" {
		t.Errorf("a cut link is kept: %.60s", c.Recording)
	}
	if len(c.Extra) != mostExtra {
		t.Errorf("%d other parameters are kept, want %d", len(c.Extra), mostExtra)
	}
}
