package bitrixtest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// A response is lost after the portal has done its work; the lead is there all the same.
func ExamplePortal_Inject() {
	portal := bitrixtest.New(bitrixtest.Options{})
	portal.Inject(bitrixtest.Fault{Method: "crm.lead.add", Do: bitrixtest.HTML502After})
	server := httptest.NewServer(portal)
	defer server.Close()

	resp, err := http.Post(server.URL+portal.WebhookPath()+"crm.lead.add", "application/json",
		strings.NewReader(`{"fields":{"TITLE":"Call","ORIGINATOR_ID":"ringbridge","ORIGIN_ID":"call-1"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()

	fmt.Println(portal.Requests()[0])
	fmt.Println(portal.Leads()[0].OriginID)
	// Output:
	// crm.lead.add 502 [502 after]
	// call-1
}
