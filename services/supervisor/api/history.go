package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/follow"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
)

// wish is which events somebody wants to see.
type wish struct {
	after uint64    // those with a higher number
	from  time.Time // that happened then or later
	model string    // of this model; "" of all and of the supervisor itself
	last  int       // not more than these; 0 all
}

// History answers GET /api/llm/events.
func (a *API) History(w http.ResponseWriter, r *http.Request) error {
	return a.history(w, r, "")
}

// ModelHistory answers GET /api/llm/models/{id}/events.
func (a *API) ModelHistory(w http.ResponseWriter, r *http.Request) error {
	m, err := a.find(r)
	if err != nil {
		return err
	}
	return a.history(w, r, m.ID)
}

func (a *API) history(w http.ResponseWriter, r *http.Request, model string) error {
	want, err := readWish(r)
	if err != nil {
		return err
	}
	want.model = model
	follow, err := readBool(r, "follow")
	if err != nil {
		return err
	}
	if follow && r.Method == http.MethodGet {
		return a.follow(w, r, want)
	}
	a.Store.Events.Told(r.Context()) // who has seen a model change finds the event of that
	all, _ := a.Store.Events.After(want.after)
	list := append([]store.Event{}, want.of(all)...) // a list also when there is none
	return web.JSON(w, http.StatusOK, map[string]any{"events": list})
}

// follow sends the events as they come, after those that there are, until the client leaves or the supervisor has ended.
func (a *API) follow(w http.ResponseWriter, r *http.Request, want wish) error {
	out, err := follow.New(w, r, a.Ending, "events")
	if err != nil {
		return err
	}
	defer out.Close()
	for {
		last := out.Ending()
		all, news := a.Store.Events.After(want.after)
		if len(all) > 0 {
			want.after = all[len(all)-1].Number
		}
		for _, e := range want.of(all) {
			data, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if err := out.Event(strconv.FormatUint(e.Number, 10), data); err != nil {
				return err
			}
		}
		want.last = 0 // what comes now is wanted
		if last {
			return nil
		}
		if err := out.Wait(news, nil); err != nil || out.Gone() {
			return err
		}
	}
}

// of picks from events in order, which it may change.
func (v wish) of(all []store.Event) []store.Event {
	some := slices.DeleteFunc(all, func(e store.Event) bool { return v.model != "" && e.Model != v.model || e.At.Before(v.from) })
	if v.last > 0 && len(some) > v.last {
		some = some[len(some)-v.last:]
	}
	return some
}

// readWish takes a client that comes back at its header: a browser repeats the address of its first request.
func readWish(r *http.Request) (wish, error) {
	var want wish
	query := r.URL.Query()
	if since := query.Get("since"); since != "" {
		number, err := strconv.ParseUint(since, 10, 53)
		at, asTime := time.Parse(time.RFC3339, since)
		ago, asSpan := time.ParseDuration(since)
		switch {
		case err == nil:
			want.after = number
		case asTime == nil:
			want.from = at
		case asSpan == nil && ago >= 0:
			want.from = time.Now().Add(-ago)
		default:
			return want, badRequest("invalid_since", "since",
				fmt.Sprintf("since %q must be the number of an event, a time such as 2027-01-31T08:00:00Z or a duration such as 15m.", since))
		}
	}
	if last := r.Header.Get(lastEventID); last != "" {
		number, err := strconv.ParseUint(last, 10, 53)
		if err != nil {
			return want, badRequest("invalid_since", lastEventID, fmt.Sprintf("%s %q must be the number of an event.", lastEventID, last))
		}
		want.after, want.from = number, time.Time{}
	}
	if limit := query.Get("limit"); limit != "" {
		var err error
		if want.last, err = strconv.Atoi(limit); err != nil || want.last < 1 || want.last > store.Keep {
			return want, badRequest("invalid_limit", "limit",
				fmt.Sprintf("limit must be a whole number from 1 to %d.", store.Keep))
		}
	}
	return want, nil
}
