package spec

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// endpoint is a base URL in its parts.
type endpoint struct {
	scheme string // http or https
	host   string // without brackets; "" when there is no endpoint
	port   int
	path   string // before the API version; "" or begins with a slash
}

// endpoint reads the base URL of a model server, with or without the API version at its end. Faults do not quote it, it may
// hold a password.
func (o *object) endpoint(name string) endpoint {
	raw := o.text(name)
	if raw == "" {
		return endpoint{}
	}
	fault := func(what string) endpoint {
		o.add(o.at(name), `%s; use the form "http://localhost:8001/v1"`, what)
		return endpoint{}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fault("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fault("must begin with http:// or https://")
	case u.Hostname() == "":
		return fault("names no host")
	case u.User != nil:
		return fault("must not hold a user or password; a key goes into api_key")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fault("must end with the path, without ? or #")
	}
	port, ok := portOf(u)
	if !ok {
		return fault("the port must be from 1 to 65535")
	}
	path := strings.TrimRight(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1"), "/")
	return endpoint{scheme: u.Scheme, host: u.Hostname(), port: port, path: path}
}

func portOf(u *url.URL) (int, bool) {
	switch {
	case u.Port() != "":
		port, err := strconv.Atoi(u.Port())
		return port, err == nil && port >= 1 && port <= 65535
	case u.Scheme == "https":
		return 443, true
	}
	return 80, true
}

// withPort is the same place at another port.
func (e endpoint) withPort(port int) endpoint {
	e.port = port
	return e
}

// String is the base without the API version.
func (e endpoint) String() string {
	host := net.JoinHostPort(e.host, strconv.Itoa(e.port))
	if e.scheme == "https" && e.port == 443 || e.scheme == "http" && e.port == 80 {
		host = strings.TrimSuffix(host, ":"+strconv.Itoa(e.port))
	}
	return (&url.URL{Scheme: e.scheme, Host: host, Path: e.path}).String()
}

// dial is String for connecting.
func (e endpoint) dial() string {
	if strings.EqualFold(e.host, "localhost") {
		e.host = "127.0.0.1"
	}
	return e.String()
}
