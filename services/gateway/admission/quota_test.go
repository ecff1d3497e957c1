package admission_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
)

// refused is the limit that stopped a request, and for how long.
func refused(t *testing.T, err error) (admission.Limit, time.Duration) {
	t.Helper()
	e, ok := errors.AsType[*admission.LimitError](err)
	if !ok {
		t.Fatalf("%v is no *LimitError", err)
	}
	return e.Limit, e.RetryAfter
}

func TestRequestsPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q admission.Quotas
		quota := admission.Quota{RequestsPerMinute: 60}
		for i := range 60 {
			_, figures, err := q.Admit("a", quota, 1)
			want := admission.Figures{Requests: admission.Figure{Limit: 60, Remaining: 59 - i, Reset: time.Duration(i+1) * time.Second}}
			if diff := cmp.Diff(want, figures); diff != "" || err != nil {
				t.Fatalf("%v\n%s", err, diff)
			}
		}
		_, figures, err := q.Admit("a", quota, 1)
		if limit, after := refused(t, err); limit != admission.Requests || after != time.Second || figures.Requests.Remaining != 0 {
			t.Errorf("%v, %+v", err, figures)
		}
		const said = "Rate limit reached for API key a on requests per min (RPM): Limit 60, Used 60, Requested 1. Please try again in 1s."
		if err.Error() != said {
			t.Error(err)
		}
		if _, _, err := q.Admit("b", quota, 1); err != nil {
			t.Errorf("one key has used up another's: %v", err)
		}
		time.Sleep(time.Second - 2*time.Millisecond)
		if _, _, err := q.Admit("a", quota, 1); err == nil {
			t.Error("admitted too early")
		}
		time.Sleep(2 * time.Millisecond)
		if _, _, err := q.Admit("a", quota, 1); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour) // which saves nothing up
		for range 60 {
			if _, _, err := q.Admit("a", quota, 1); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := q.Admit("a", quota, 1); err == nil {
			t.Error("more than a bucket at once")
		}
	})
}

func TestTokensPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q admission.Quotas
		quota := admission.Quota{TokensPerMinute: 6000}
		remaining := func(want int, reset time.Duration) {
			t.Helper()
			lease, f, _ := q.Admit("a", quota, 0) // refused or not
			if f.Tokens != (admission.Figure{Limit: 6000, Remaining: want, Reset: reset}) {
				t.Errorf("%+v; want %d and %s", f.Tokens, want, reset)
			}
			lease.Release(0)
		}
		lease, _, err := q.Admit("a", quota, 5000)
		if err != nil {
			t.Fatal(err)
		}
		remaining(1000, 50*time.Second)
		_, _, err = q.Admit("a", quota, 2000)
		if limit, after := refused(t, err); limit != admission.Tokens || after != 10*time.Second {
			t.Error(err)
		}
		lease.Release(100) // much less than was reserved
		remaining(5900, time.Second)
		lease, _, _ = q.Admit("a", quota, 10)
		lease.Release(8900) // much more
		remaining(0, 90*time.Second)
		if _, _, err := q.Admit("a", quota, 1); err == nil {
			t.Error("admitted with an overdrawn bucket")
		}
		time.Sleep(31 * time.Second)
		remaining(100, 59*time.Second)
		lease, _, _ = q.Admit("a", quota, 100)
		lease.Release(-1) // nobody counted
		remaining(0, time.Minute)
		time.Sleep(time.Hour)
		remaining(6000, 0)
	})
}

// OpenAI refuses like this what no wait would help, and so do we.
func TestTooLarge(t *testing.T) {
	var q admission.Quotas
	_, figures, err := q.Admit("a", admission.Quota{TokensPerMinute: 100, RequestsPerMinute: 1}, 101)
	const said = "Request too large for API key a on tokens per min (TPM): Limit 100, Requested 101. The input or output tokens must be reduced in order to run successfully."
	if limit, after := refused(t, err); limit != admission.Tokens || after != 0 || err.Error() != said {
		t.Error(err)
	}
	if figures.Tokens.Remaining != 100 || figures.Requests.Remaining != 1 {
		t.Errorf("a refused request took something: %+v", figures)
	}
	if _, _, err := q.Admit("a", admission.Quota{TokensPerMinute: 100}, 100); err != nil {
		t.Errorf("a whole bucket: %v", err)
	}
}

func TestConcurrentRequests(t *testing.T) {
	var q admission.Quotas
	quota := admission.Quota{ConcurrentRequests: 2}
	first, figures, _ := q.Admit("a", quota, 1)
	second, _, err := q.Admit("a", quota, 1)
	if err != nil || figures != (admission.Figures{}) {
		t.Errorf("%v, %+v", err, figures)
	}
	_, _, err = q.Admit("a", quota, 1)
	if limit, after := refused(t, err); limit != admission.Concurrent || after != time.Second {
		t.Error(err)
	}
	first.Release(-1)
	third, _, err := q.Admit("a", quota, 1)
	if err != nil {
		t.Error(err)
	}
	second.Release(-1)
	third.Release(-1)
	unlimited, figures, err := q.Admit("a", admission.Quota{}, 1<<40)
	if unlimited.Release(5); err != nil || figures != (admission.Figures{}) {
		t.Errorf("%v, %+v", err, figures)
	}
}

// The limit that is named is the one that takes longest, so whoever waits that long gets in.
func TestLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q admission.Quotas
		quota := admission.Quota{RequestsPerMinute: 2, TokensPerMinute: 60, ConcurrentRequests: 2}
		for range 2 {
			if _, _, err := q.Admit("a", quota, 10); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := q.Admit("a", quota, 50)
		if limit, after := refused(t, err); limit != admission.Requests || after != 30*time.Second {
			t.Error(err)
		}
		time.Sleep(30 * time.Second)
		_, _, err = q.Admit("a", quota, 50)
		if limit, _ := refused(t, err); limit != admission.Concurrent {
			t.Error(err)
		}
	})
}

// What was used stays used when the limits of a key change, and what is no limit any more is forgotten.
func TestChangedQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q admission.Quotas
		tokens := func(limit, want int) {
			t.Helper()
			lease, f, _ := q.Admit("a", admission.Quota{TokensPerMinute: limit, ConcurrentRequests: 9}, 0) // refused or not
			if lease.Release(0); f.Tokens.Remaining != want {
				t.Errorf("with %d: %+v", limit, f)
			}
		}
		if _, _, err := q.Admit("a", admission.Quota{TokensPerMinute: 1000}, 800); err != nil {
			t.Fatal(err)
		}
		tokens(2000, 1200)
		tokens(900, 100)
		tokens(100, 0)
		tokens(0, 0)
		tokens(100, 100)
	})
}

// Whatever came before, a request that waits as long as it is told gets in, and one that waits less does not.
func TestRetryAfterIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		var q admission.Quotas
		quota := admission.Quota{RequestsPerMinute: 7, TokensPerMinute: 999}
		waits := 0
		for range 5000 {
			want := 1 + random.IntN(400)
			lease, _, err := q.Admit("a", quota, want)
			if err != nil {
				waits++
				_, after := refused(t, err)
				time.Sleep(after * 99 / 100)
				if _, _, err := q.Admit("a", quota, want); err == nil {
					t.Fatalf("after 99 %% of %s it is in already", after)
				}
				time.Sleep(after - after*99/100)
				if lease, _, err = q.Admit("a", quota, want); err != nil {
					t.Fatalf("after %s: %v", after, err)
				}
			}
			time.Sleep(time.Duration(random.Int64N(int64(5 * time.Second))))
			lease.Release(random.IntN(800))
		}
		if waits < 1000 {
			t.Errorf("only %d had to wait", waits)
		}
	})
}

// Keys that are gone do not pile up, those that owe something are not forgotten.
func TestManyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q admission.Quotas
		quota := admission.Quota{TokensPerMinute: 10}
		debt, _, _ := q.Admit("debtor", quota, 1)
		debt.Release(1000) // 99 minutes
		running, _, _ := q.Admit("runner", admission.Quota{ConcurrentRequests: 1}, 1)
		time.Sleep(2 * time.Minute)
		for i := range 100_000 {
			lease, _, err := q.Admit(fmt.Sprint("k", i), quota, 1)
			if err != nil {
				t.Fatal(err)
			}
			lease.Release(1)
			time.Sleep(time.Second)
			if n := q.Keys(); n > 1024 {
				t.Fatalf("%d keys are remembered", n)
			}
			if i == 1100 { // seconds, and after a sweep
				if _, _, err := q.Admit("debtor", quota, 1); err == nil {
					t.Error("a debt is forgotten")
				}
			}
		}
		if _, _, err := q.Admit("runner", admission.Quota{ConcurrentRequests: 1}, 1); err == nil {
			t.Error("a running request is forgotten")
		}
		running.Release(1)
	})
}

func TestHeaders(t *testing.T) {
	h := http.Header{}
	admission.Figures{
		Requests: admission.Figure{Limit: 60, Remaining: 59, Reset: time.Second},
		Tokens:   admission.Figure{Limit: 150000, Remaining: 149984, Reset: 6*time.Minute - 1},
	}.SetHeaders(h)
	want := http.Header{}
	for name, value := range map[string]string{
		"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s",
		"x-ratelimit-limit-tokens": "150000", "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6m0s",
	} {
		want.Set(name, value)
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
	reset := func(d time.Duration) string {
		h := http.Header{}
		admission.Figures{Tokens: admission.Figure{Limit: 1, Reset: d}}.SetHeaders(h)
		if h.Get("x-ratelimit-limit-requests") != "" {
			t.Error("told a limit that there is not")
		}
		return h.Get("x-ratelimit-reset-tokens")
	}
	for d, want := range map[time.Duration]string{0: "0s", 1: "1ms", 119500 * time.Microsecond: "120ms", 9816 * time.Millisecond: "9.816s", 90 * time.Second: "1m30s"} {
		if got := reset(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}

func TestEstimateTokens(t *testing.T) {
	f := func(want, promptBytes, media, maxTokens, n int) {
		t.Helper()
		if got := admission.EstimateTokens(promptBytes, media, maxTokens, n); got != want {
			t.Errorf("%d bytes, %d pictures, %d tokens, %d answers: %d, want %d", promptBytes, media, maxTokens, n, got, want)
		}
	}
	f(101+50, 400, 0, 50, 1)
	f(101+150, 400, 0, 50, 3)
	f(101+2048+50, 400, 2, 50, 1)
	f(1+256, 0, 0, 0, 0)
	f(1+256, -1, 0, -1, -1)
	const most = 1<<63 - 1
	if got := admission.EstimateTokens(most, 0, most, most); got <= 1<<32 {
		t.Errorf("%d overflowed", got)
	}
}

func TestPriority(t *testing.T) {
	f := func(want, ofKey int, header string, good bool) {
		t.Helper()
		if got, err := admission.Priority(ofKey, header); got != want || (err == nil) != good {
			t.Errorf("%d and %q: %d, %v", ofKey, header, got, err)
		}
	}
	f(5, 5, "", true)
	f(5, 5, "9", true)
	f(-3, 5, " -3 ", true)
	f(5, 5, "high", false)
	f(5, 5, "99999999999999999999", false)
}

func BenchmarkAdmit(b *testing.B) {
	var q admission.Quotas
	for name, quota := range map[string]admission.Quota{"unlimited": {}, "limited": {RequestsPerMinute: 1e9, TokensPerMinute: 1e9, ConcurrentRequests: 10}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lease, _, err := q.Admit("a", quota, 1)
				if err != nil {
					b.Fatal(err)
				}
				lease.Release(0)
			}
		})
	}
}
