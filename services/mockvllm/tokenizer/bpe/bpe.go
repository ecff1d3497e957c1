package bpe

import (
	"fmt"
	"hash/maphash"
	"sync/atomic"
)

// Model merges the bytes of a word into tokens: of all neighbours the pair of the lowest rank first, the leftmost of equals. It is
// safe for concurrent use.
type Model struct {
	words        map[string]int32 // tokens by the bytes that they stand for; those of bytes alone
	bytes        [256]int32       // token of a single byte, -1 without one
	merges       map[uint64]merge // by pair
	ignoreMerges bool             // a word that is a token is that token, whatever its merges say
	cache        wordCache
}

// New makes a model of a vocabulary, ids by their spelling, and of its merges, the earlier ones first. A merge of tokens that the
// vocabulary lacks is an error. With ignoreMerges a word that is a token is not taken apart.
func New[Merge ~[2]string](vocab map[string]int32, merges []Merge, ignoreMerges bool) (*Model, error) {
	m := &Model{ignoreMerges: ignoreMerges, words: make(map[string]int32, len(vocab)), merges: make(map[uint64]merge, len(merges))}
	m.cache.seed = maphash.MakeSeed()
	for spelling, id := range vocab {
		if text, ok := Bytes(spelling); ok && text != "" {
			m.words[text] = id
		}
	}
	for b := range m.bytes {
		m.bytes[b] = -1
		if id, ok := vocab[string(byteRune[b])]; ok {
			m.bytes[b] = id
		}
	}
	for rank, p := range merges {
		left, ok1 := vocab[p[0]]
		right, ok2 := vocab[p[1]]
		made, ok3 := vocab[p[0]+p[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("model.merges: %q and %q or what they make is not in the vocabulary", p[0], p[1])
		}
		m.merges[pair(left, right)] = merge{int32(rank), made}
	}
	return m, nil
}

type merge struct{ rank, id int32 }

func pair(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// Encode appends the tokens of word to ids.
func (m *Model) Encode(ids []int, word string) []int {
	if word == "" {
		return ids
	}
	found := m.cache.get(word)
	if found == nil {
		found = m.merge(word)
		m.cache.put(word, found)
	}
	for _, id := range found {
		ids = append(ids, int(id))
	}
	return ids
}

func (m *Model) merge(word string) []int32 {
	if id, ok := m.words[word]; ok && (m.ignoreMerges || len(word) == 1) {
		return []int32{id}
	}
	w := newMerging(m, word)
	for {
		c, ok := w.heap.pop()
		if !ok {
			return w.ids()
		}
		w.apply(c)
	}
}

// merging is a word at work: a linked list of symbols, and a heap of the merges that are possible.
type merging struct {
	model   *Model
	symbols []symbol
	heap    mergeHeap
}

type symbol struct {
	id, prev, next int32 // id -1 once it is part of the symbol before it
	made           merge // with the symbol after it; rank -1 if they do not merge
}

func newMerging(m *Model, word string) *merging {
	w := &merging{model: m, symbols: make([]symbol, 0, len(word))}
	for i := range len(word) {
		if id := m.bytes[word[i]]; id >= 0 { // a byte that the vocabulary lacks is dropped
			n := int32(len(w.symbols))
			w.symbols = append(w.symbols, symbol{id: id, prev: n - 1, next: n + 1})
		}
	}
	w.heap = make(mergeHeap, 0, len(w.symbols))
	for i := range w.symbols {
		if w.look(int32(i)) {
			w.heap = append(w.heap, candidate{w.symbols[i].made.rank, int32(i)})
		}
	}
	w.heap.init()
	return w
}

// look finds out what the symbol at position at and the one after it make.
func (w *merging) look(at int32) (found bool) {
	left := &w.symbols[at]
	left.made.rank = -1
	if int(left.next) >= len(w.symbols) {
		return false
	}
	made, found := w.model.merges[pair(left.id, w.symbols[left.next].id)]
	if found {
		left.made = made
	}
	return found
}

func (w *merging) apply(c candidate) {
	left := &w.symbols[c.at]
	if left.id < 0 || left.made.rank != c.rank {
		return // one of the two has been merged otherwise meanwhile
	}
	right := &w.symbols[left.next]
	left.id, right.id = left.made.id, -1
	left.next = right.next
	if int(left.next) < len(w.symbols) {
		w.symbols[left.next].prev = c.at
	}
	if left.prev >= 0 && w.look(left.prev) {
		w.heap.push(candidate{w.symbols[left.prev].made.rank, left.prev})
	}
	if w.look(c.at) {
		w.heap.push(candidate{left.made.rank, c.at})
	}
}

func (w *merging) ids() []int32 {
	n := 0
	for _, s := range w.symbols {
		if s.id >= 0 {
			n++
		}
	}
	ids := make([]int32, 0, n)
	for _, s := range w.symbols {
		if s.id >= 0 {
			ids = append(ids, s.id)
		}
	}
	return ids
}

const (
	cacheSlots = 1 << 14
	cacheWord  = 64 // bytes of the longest word that is remembered
)

// wordCache remembers the tokens of words. A word has one slot, and takes it from whoever was there: the cache is bounded,
// needs no lock, and frequent words are mostly there.
type wordCache struct {
	seed  maphash.Seed
	slots [cacheSlots]atomic.Pointer[cachedWord]
}

type cachedWord struct {
	word string
	ids  []int32
}

func (c *wordCache) slot(word string) *atomic.Pointer[cachedWord] {
	return &c.slots[maphash.String(c.seed, word)%cacheSlots]
}

func (c *wordCache) get(word string) []int32 {
	if len(word) > cacheWord {
		return nil
	}
	if found := c.slot(word).Load(); found != nil && found.word == word {
		return found.ids
	}
	return nil
}

func (c *wordCache) put(word string, ids []int32) {
	if len(word) <= cacheWord {
		c.slot(word).Store(&cachedWord{string([]byte(word)), ids}) // a copy, not to keep the whole text alive
	}
}
