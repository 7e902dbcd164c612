package event_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// drawn fills a value of any of our types from few values, so that two of them are often
// alike or almost alike.
func drawn(t *rapid.T, kind reflect.Type) reflect.Value {
	v := reflect.New(kind).Elem()
	few := func() int { return rapid.IntRange(0, 3).Draw(t, "few") }
	switch {
	case kind == reflect.TypeFor[time.Time]():
		zone := []*time.Location{time.UTC, time.FixedZone("", 7200), time.FixedZone("EET", 7200), time.FixedZone("", -5400)}[few()]
		v.Set(reflect.ValueOf(now.Add(time.Duration(few()) * time.Millisecond).In(zone)))
	case kind.Kind() == reflect.String:
		v.SetString([]string{"", "Lviv", "a\xff", "a\uFFFD"}[few()])
	case kind.Kind() == reflect.Int:
		v.SetInt(int64(few()))
	case kind.Kind() == reflect.Bool:
		v.SetBool(few()%2 == 0)
	case kind.Kind() == reflect.Pointer:
		if few() > 0 {
			v.Set(reflect.New(kind.Elem()))
			v.Elem().Set(drawn(t, kind.Elem()))
		}
	case kind.Kind() == reflect.Struct:
		for i := range kind.NumField() {
			v.Field(i).Set(drawn(t, kind.Field(i).Type))
		}
	case kind.Kind() == reflect.Slice:
		if n := few(); n > 0 {
			v.Set(reflect.MakeSlice(kind, 0, n))
			for range n - 1 {
				v.Set(reflect.Append(v, drawn(t, kind.Elem())))
			}
		}
	case kind.Kind() == reflect.Map:
		if n := few(); n > 0 {
			v.Set(reflect.MakeMap(kind))
			for range n - 1 {
				v.SetMapIndex(reflect.ValueOf([]string{"city", "", "a\uFFFD", "shop"}[few()]), drawn(t, kind.Elem()))
			}
		}
	default:
		panic(fmt.Sprintf("no values for a %s", kind))
	}
	return v
}

// pair draws two values that differ in one field at most, or not at all.
func pair[T any](t *rapid.T) (a, b T) {
	kind := reflect.TypeFor[T]()
	v := drawn(t, kind)
	w := reflect.New(kind).Elem()
	w.Set(v)
	i := rapid.IntRange(0, kind.NumField()-1).Draw(t, "field")
	w.Field(i).Set(drawn(t, kind.Field(i).Type))
	return v.Interface().(T), w.Interface().(T)
}

func TestTheSameStoryIsWhatIsStoredAlike(t *testing.T) {
	// stored is a call as it is read back: broken UTF-8 is mended on the way.
	stored := func(c event.Call) string {
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back event.Call
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		data, _ = json.Marshal(back)
		return string(data)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := pair[event.Call](t)
		if got, want := event.Same(a, b), stored(a) == stored(b); got != want {
			t.Fatalf("Same: got %v, want %v for\n%s\n%s", got, want, stored(a), stored(b))
		}
	})
}

func TestSameEntityAndSameTaskAgreeWithComparingEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := pair[event.Entity](t)
		if got, want := event.SameEntity(&a, &b), cmp.Equal(&a, &b); got != want {
			t.Fatalf("SameEntity: got %v, want %v:\n%s", got, want, cmp.Diff(a, b))
		}
		c, d := pair[event.Task](t)
		if got, want := event.SameTask(&c, &d), cmp.Equal(&c, &d); got != want {
			t.Fatalf("SameTask: got %v, want %v:\n%s", got, want, cmp.Diff(c, d))
		}
		if event.SameEntity(&a, nil) || event.SameTask(nil, &c) || !event.SameEntity(nil, nil) || !event.SameTask(nil, nil) {
			t.Fatal("nothing is like something, or unlike nothing")
		}
	})
}

// TestEveryFieldCounts changes each field, also inside others, on its own: none may be
// forgotten when one is added.
func TestEveryFieldCounts(t *testing.T) {
	var changes func(kind reflect.Type, path string, found func(path string, set func(root reflect.Value, to int)))
	changes = func(kind reflect.Type, path string, found func(string, func(reflect.Value, int))) {
		switch {
		case kind == reflect.TypeFor[time.Time]():
			found(path, func(v reflect.Value, to int) { v.Set(reflect.ValueOf(now.Add(time.Duration(to) * time.Second))) })
		case kind.Kind() == reflect.String:
			found(path, func(v reflect.Value, to int) { v.SetString(fmt.Sprint("v", to)) })
		case kind.Kind() == reflect.Int:
			found(path, func(v reflect.Value, to int) { v.SetInt(int64(to + 1)) })
		case kind.Kind() == reflect.Bool:
			found(path, func(v reflect.Value, to int) { v.SetBool(to == 1) })
		case kind.Kind() == reflect.Struct:
			for i := range kind.NumField() {
				changes(kind.Field(i).Type, path+"."+kind.Field(i).Name, func(path string, set func(reflect.Value, int)) {
					found(path, func(v reflect.Value, to int) { set(v.Field(i), to) })
				})
			}
		case kind.Kind() == reflect.Pointer:
			changes(kind.Elem(), path, func(path string, set func(reflect.Value, int)) {
				found(path, func(v reflect.Value, to int) {
					v.Set(reflect.New(kind.Elem()))
					set(v.Elem(), to)
				})
			})
		case kind.Kind() == reflect.Slice:
			changes(kind.Elem(), path, func(path string, set func(reflect.Value, int)) {
				found(path, func(v reflect.Value, to int) {
					v.Set(reflect.MakeSlice(kind, 1, 1))
					set(v.Index(0), to)
				})
			})
		case kind.Kind() == reflect.Map:
			found(path, func(v reflect.Value, to int) {
				v.Set(reflect.MakeMap(kind))
				v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf(fmt.Sprint("v", to)))
			})
		default:
			t.Fatalf("%s: no values for a %s", path, kind)
		}
	}
	count := 0
	check := func(zero any, same func(a, b reflect.Value) bool) {
		kind := reflect.TypeOf(zero)
		changes(kind, kind.Name(), func(path string, set func(reflect.Value, int)) {
			count++
			value := func(to int) reflect.Value {
				v := reflect.New(kind).Elem()
				set(v, to)
				return v
			}
			if same(value(0), value(1)) || !same(value(1), value(1)) {
				t.Errorf("%s is not compared", path)
			}
		})
	}
	check(event.Call{}, func(a, b reflect.Value) bool {
		return event.Same(a.Interface().(event.Call), b.Interface().(event.Call))
	})
	check(event.Entity{}, func(a, b reflect.Value) bool {
		return event.SameEntity(a.Addr().Interface().(*event.Entity), b.Addr().Interface().(*event.Entity))
	})
	check(event.Task{}, func(a, b reflect.Value) bool {
		return event.SameTask(a.Addr().Interface().(*event.Task), b.Addr().Interface().(*event.Task))
	})
	if count < 70 {
		t.Errorf("%d fields were changed, want all of them", count)
	}
}
