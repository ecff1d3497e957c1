package spec

import (
	"regexp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// routing reads the fields of routing. Whether the models that it names exist, check tells.
func (o *object) routing() fleet.Routing {
	r := fleet.Routing{
		Policy:        fleet.Policy(o.choice("policy")),
		SessionHeader: o.header("session_header"),
		Hedge:         o.yes("hedge"),
	}
	for _, share := range o.objects("canary") {
		share.need("model", "the id of the model that gets this part of the traffic")
		share.need("percent", "its part, such as 5")
		r.Canary = append(r.Canary, fleet.Share{Model: share.text("model"), Percent: share.percent("percent")})
	}
	r.Fallbacks = o.ids("fallbacks")
	return r
}

// limits reads the fields of limits.
func (o *object) limits() fleet.Limits {
	return fleet.Limits{
		Inflight:     o.whole("inflight"),
		Queue:        o.whole("queue"),
		QueueTimeout: o.duration("queue_timeout"),
		KeepAlive:    o.yes("keep_alive"),
	}
}

// headerForm is a token of RFC 9110, section 5.6.2.
var headerForm = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// header reads the name of an HTTP header.
func (o *object) header(name string) string {
	value := o.text(name)
	if value != "" && !headerForm.MatchString(value) {
		o.add(o.at(name), "not the name of an HTTP header: use letters, digits and -")
	}
	return value
}
