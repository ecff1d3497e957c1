package strict

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Endpoint is a base URL in its parts.
type Endpoint struct {
	Scheme string // http or https
	Host   string // without brackets; "" when there is no endpoint
	Port   int
	Path   string // before the API version; "" or begins with a slash
}

// Endpoint reads the base URL of a model server, with or without the API version at its end. Faults do not quote it, it may
// hold a password.
func (o *Object) Endpoint(name string) Endpoint {
	raw := o.Text(name)
	if raw == "" {
		return Endpoint{}
	}
	fault := func(what string) Endpoint {
		o.Add(o.At(name), `%s; use the form "http://localhost:8001/v1"`, what)
		return Endpoint{}
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
	return Endpoint{Scheme: u.Scheme, Host: u.Hostname(), Port: port, Path: path}
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

// WithPort is the same place at another port.
func (e Endpoint) WithPort(port int) Endpoint {
	e.Port = port
	return e
}

// String is the base without the API version.
func (e Endpoint) String() string {
	host := net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	if e.Scheme == "https" && e.Port == 443 || e.Scheme == "http" && e.Port == 80 {
		host = strings.TrimSuffix(host, ":"+strconv.Itoa(e.Port))
	}
	return (&url.URL{Scheme: e.Scheme, Host: host, Path: e.Path}).String()
}

// Dial is String for connecting.
func (e Endpoint) Dial() string {
	if strings.EqualFold(e.Host, "localhost") {
		e.Host = "127.0.0.1"
	}
	return e.String()
}

// Loopback tells whether a host is this machine alone.
func Loopback(host string) bool { return host == "127.0.0.1" || strings.EqualFold(host, "localhost") }
