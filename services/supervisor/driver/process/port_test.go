package process_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// TestPortOfAnother has this test listen where the server should.
func TestPortOfAnother(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := serverDriver(t, "listen", ln.Addr().String())
	d.URL = "http://" + ln.Addr().String()
	_, err = d.Start(t.Context())
	want := fmt.Sprintf("port %d is in use by ", ln.Addr().(*net.TCPAddr).Port)
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("(pid %d)", os.Getpid())) {
		t.Errorf("started on the port of another: %v", err)
	}
	_ = ln.Close()
	s, lines := start(t, d)
	pids(t, lines, 1)
	if err := d.Serving(); err != nil {
		t.Errorf("the server itself listens: %v", err)
	}
	s.Stop()
	exit(t, s)
}

// TestPortStolenMeanwhile has this test listen while the server has not come to it yet.
func TestPortStolenMeanwhile(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d := serverDriver(t)
	_, lines := start(t, d)
	pids(t, lines, 1)
	d.URL = "http://" + ln.Addr().String()
	if err := d.Serving(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("(pid %d)", os.Getpid())) {
		t.Errorf("a stranger is taken for the server: %v", err)
	}
}
