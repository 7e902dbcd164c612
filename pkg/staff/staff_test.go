package staff

import "testing"

var users = []User{
	{ID: 1, Name: "Галина Савчук", Email: "head@example.com"},
	{ID: 7, Name: "Олена Коваль", Email: "olena@example.com", Extension: "101", Numbers: []string{"067 111-22-33"}},
	{ID: 8, Name: "Петро Бондар", Email: "petro@example.com", Extension: "102", Numbers: []string{"+380671112244"}},
	{ID: 9, Name: "Сергій Щербак", Extension: "103"},
	{ID: 10, Name: "Hanna Yatsenko"},
	{ID: 11, Name: "Сергій Щербак-Молодший", Extension: "103"},
	{ID: 12, Name: "Дмитро Поліщук"},
}

func TestAnEmployeeIsTheOnlyUserWhoFits(t *testing.T) {
	for _, c := range []struct {
		what string
		e    Employee
		id   int
		why  Reason
	}{
		{"the extension", Employee{Extension: " 101 ", Email: "petro@example.com"}, 7, ByExtension},
		{"an extension of two says nothing", Employee{Extension: "103", Email: "PETRO@example.com"}, 8, ByEmail},
		{"a number in another spelling", Employee{Numbers: []string{"380671112233"}}, 7, ByNumber},
		{"a number of a work phone", Employee{Numbers: []string{"0671112299", "8 067 111 22 44"}}, 8, ByNumber},
		{"the name, family name first", Employee{Name: "Коваль Олена"}, 7, ByName},
		{"the name with a patronymic", Employee{Name: "Коваль Олена Іванівна"}, 7, ByName},
		{"the name in Russian", Employee{Name: "Елена Коваль"}, 7, ByName},
		{"the name in English", Employee{Name: "Olena Koval"}, 7, ByName},
		{"Petro, Pyotr", Employee{Name: "Пётр Бондарь"}, 8, ByName},
		{"Latin in the portal", Employee{Name: "Ганна Яценко"}, 10, ByName},
		{"Latin in the portal, Russian in the exchange", Employee{Name: "Анна Яценко"}, 10, ByName},
		{"Dmytro, Dmitry", Employee{Name: "Polishchuk Dmitry"}, 12, ByName},
		{"a family name alone", Employee{Name: "Коваль"}, 0, ""},
		{"nothing", Employee{}, 0, ""},
		{"somebody else", Employee{Name: "Ольга Коваль", Email: "olha@example.com", Extension: "109"}, 0, ""},
		{"short internal numbers are no phone numbers", Employee{Numbers: []string{"101"}}, 0, ""},
	} {
		id, why, ok := Suggest(c.e, users, "UA")
		if id != c.id || why != c.why || ok != (c.id != 0) {
			t.Errorf("%s: %+v is %d by %q, want %d by %q", c.what, c.e, id, why, c.id, c.why)
		}
	}
}

func TestANameOfTwoUsersSuggestsNobody(t *testing.T) {
	twice := []User{{ID: 1, Name: "Іван Мельник"}, {ID: 2, Name: "Мельник Іван"}, {ID: 3, Name: "Ivan Melnyk"}}
	if id, why, ok := Suggest(Employee{Name: "Иван Мельник"}, twice, "UA"); ok {
		t.Errorf("suggested %d by %s, want nobody: three users have that name", id, why)
	}
}
