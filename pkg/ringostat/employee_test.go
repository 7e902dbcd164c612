package ringostat_test

import (
	"testing"

	"github.com/ringbridge/ringbridge/pkg/phone"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
)

func TestAnEmployeeIsFoundByTheSurestKey(t *testing.T) {
	olena, petro := "1111", "1112"
	for _, c := range []struct {
		why  string
		line ringostat.Line
		want int
	}{
		{"code", ringostat.Line{Code: olena}, 0},
		{"login", ringostat.Line{SIP: "SHOP_petro"}, 1},
		{"login with host", ringostat.Line{SIP: "sip:shop_petro@sip.example.com"}, 1},
		{"number", ringostat.Line{Number: "+380671112233"}, 0},
		{"extension", ringostat.Line{Extension: "102"}, 1},
		{"e-mail", ringostat.Line{Email: "Olena@Example.com"}, 0},
		{"name", ringostat.Line{Name: " olena   koval "}, 0},
		{"code before all others", ringostat.Line{Code: petro, SIP: "shop_olena", Number: "+380671112233", Extension: "101", Email: "olena@example.com", Name: "Olena Koval"}, 1},
		{"login before number", ringostat.Line{SIP: "shop_petro", Number: "+380671112233"}, 1},
		{"number before extension", ringostat.Line{Number: "+380671112233", Extension: "102"}, 0},
		{"extension before e-mail", ringostat.Line{Extension: "102", Email: "olena@example.com"}, 1},
		{"e-mail before name", ringostat.Line{Email: "petro@example.com", Name: "Olena Koval"}, 1},
		{"unknown code, known login", ringostat.Line{Code: "9", SIP: "shop_olena"}, 0},
		{"no code, known login", ringostat.Line{Code: "-1", SIP: "shop_olena"}, 0},
	} {
		if got, ok := ringostat.FindEmployee(employees, c.line); !ok || got != c.want {
			t.Errorf("%s: FindEmployee(%+v) = %d, %v; want %d", c.why, c.line, got, ok, c.want)
		}
	}
}

func TestAnEmptyKeyMatchesNobody(t *testing.T) {
	blank := []ringostat.Employee{{Code: "-1"}, {SIP: []string{""}, Numbers: []phone.Number{""}}, {Extension: " "}}
	for _, line := range []ringostat.Line{{}, {Code: "-1"}, {SIP: " ", Extension: " "}, {Code: "7", SIP: "shop_ivan", Number: "+380935556677", Extension: "7", Email: "x@example.com", Name: "Ivan"}} {
		for _, list := range [][]ringostat.Employee{blank, employees, nil} {
			if got, ok := ringostat.FindEmployee(list, line); ok || got != -1 {
				t.Errorf("FindEmployee(%+v, %+v) = %d, %v; want nobody", list, line, got, ok)
			}
		}
	}
}

func TestAKeyOfTwoEmployeesIsPassedOver(t *testing.T) {
	twins := []ringostat.Employee{
		{Code: "1", Extension: "101", Name: "Olena Koval", Email: "a@example.com"},
		{Code: "1", Extension: "101", Name: "Olena Koval", Email: "b@example.com"},
		{Code: "1", Extension: "101", Name: "Olena Koval"},
	}
	if got, ok := ringostat.FindEmployee(twins, ringostat.Line{Code: "1", Extension: "101", Name: "Olena Koval"}); ok {
		t.Errorf("FindEmployee = %d, want nobody: three people share every key", got)
	}
	if got, ok := ringostat.FindEmployee(twins, ringostat.Line{Code: "1", Email: "b@example.com"}); !ok || got != 1 {
		t.Errorf("FindEmployee = %d, %v; want 1 by e-mail, since the code is shared", got, ok)
	}
}
