package stored

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/responses"
)

// storeSize is how many bytes of responses are kept, with the conversations that they answer. vLLM keeps all of them for
// ever; here the oldest are forgotten.
const storeSize = 64 << 20

// store is what VLLM_ENABLE_RESPONSES_API_STORE turns on.
type store struct {
	most int // bytes

	mu   sync.Mutex
	byID map[string]*kept
	all  []*kept // oldest first, with those that another of the same id has replaced
	size int
}

func newStore(most int) *store {
	return &store{most: most, byID: map[string]*kept{}}
}

// kept is a response in the store. The store's mutex guards what changes.
type kept struct {
	id     string
	status string // queued until it is over, or cancelled
	body   []byte
	left   responses.History // for one that continues it
	prompt int               // bytes of the conversation
	log    *eventLog         // of a streamed one that runs in the background, else nil
	cancel context.CancelFunc
	ended  []byte // the body when it is cancelled while it is queued
	size   int
}

// What an entry takes besides its texts, about, and what each of its messages does.
const (
	overhead        = 1 << 10
	messageOverhead = 1 << 8
)

// put adds a response. Another one with the same id is not found any more, but a cancelled one stays where the new one is over.
func (s *store) put(k *kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.byID[k.id]; old != nil && old.status == cancelled && k.status != queued {
		return
	}
	s.byID[k.id] = k
	s.all = append(s.all, k)
	s.grow(k, overhead+messageOverhead*len(k.left.Messages)+k.prompt+len(k.body)+len(k.ended))
}

// finish takes the whole of a response that was put before.
func (s *store) finish(k *kept, body []byte, left responses.History) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.status == cancelled {
		return
	}
	k.status, k.body, k.ended, k.left = "", body, nil, left
	if k.size > 0 { // it was not forgotten meanwhile
		s.grow(k, len(body)+k.log.size())
	}
}

// grow counts bytes and forgets the oldest responses when there are too many.
func (s *store) grow(k *kept, n int) {
	k.size += n
	s.size += n
	for s.size > s.most && len(s.all) > 0 {
		oldest := s.all[0]
		s.all = s.all[1:]
		s.size -= oldest.size
		oldest.size = 0
		if s.byID[oldest.id] == oldest {
			delete(s.byID, oldest.id)
		}
	}
}

func (s *store) get(id string) *kept {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// read returns what a response is by now.
func (s *store) read(k *kept) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.body
}

// history is what a response leaves for the next.
func (s *store) history(k *kept) responses.History {
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.left
}

const (
	queued    = "queued"
	cancelled = "cancelled"
)

// cancelled marks a response that is not over.
func (s *store) cancelled(k *kept) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.status != queued {
		return false
	}
	k.status, k.body, k.ended = cancelled, k.ended, nil
	return true
}

// eventLog is the writer of a response that runs in the background. It keeps the frames of a stream; other bytes are lost.
type eventLog struct {
	header http.Header

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	grown  chan struct{} // closed and replaced with each frame
}

func newEventLog() *eventLog { return &eventLog{header: http.Header{}, grown: make(chan struct{})} }

// Header is for http.ResponseWriter.
func (l *eventLog) Header() http.Header { return l.header }

// WriteHeader is for http.ResponseWriter.
func (l *eventLog) WriteHeader(int) {}

// Flush is for http.ResponseController.
func (l *eventLog) Flush() {}

// Write takes one frame.
func (l *eventLog) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("event: ")) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.frames = append(l.frames, bytes.Clone(b))
		l.bytes += len(b)
		close(l.grown)
		l.grown = make(chan struct{})
	}
	return len(b), nil
}

// read returns the frames so far, and what is closed when there are more.
func (l *eventLog) read() ([][]byte, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clip(l.frames), l.grown
}

func (l *eventLog) size() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// tasks are what runs without a client that waits for it.
type tasks struct {
	ended   chan struct{} // closed when the server ends
	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

func newTasks() *tasks { return &tasks{ended: make(chan struct{})} }

// start runs f until it returns. Its context ends with the server, or by the function that is returned.
func (t *tasks) start(f func(context.Context)) context.CancelFunc {
	ctx, cancel := context.WithCancel(context.Background())
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		cancel()
		return cancel
	}
	t.running.Go(func() {
		defer cancel()
		f(ctx)
	})
	t.running.Go(func() {
		select {
		case <-ctx.Done():
		case <-t.ended:
			cancel()
		}
	})
	return cancel
}

// stop ends all of them, and waits for that.
func (t *tasks) stop() {
	t.mu.Lock()
	if !t.stopped {
		t.stopped = true
		close(t.ended)
	}
	t.mu.Unlock()
	t.running.Wait()
}
