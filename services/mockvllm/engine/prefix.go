package engine

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
)

// Block stands for the tokens of one whole block of a prompt and for all that comes before it.
type Block [sha256.Size]byte

// Prefix gives the whole blocks of a prompt, in order. A salt keeps prompts apart that have the same tokens.
func Prefix(salt string, prompt []int) []Block {
	chain := make([]Block, 0, len(prompt)/BlockTokens)
	before := sha256.Sum256([]byte(salt))
	for len(prompt) >= BlockTokens {
		content := append(make([]byte, 0, sha256.Size+8*BlockTokens), before[:]...)
		for _, id := range prompt[:BlockTokens] {
			content = binary.BigEndian.AppendUint64(content, uint64(id)) //nolint:gosec // only equality matters
		}
		before = sha256.Sum256(content)
		chain = append(chain, before)
		prompt = prompt[BlockTokens:]
	}
	return chain
}

// prefixCache knows which blocks were computed and not used for anything else since. What runs does not keep its blocks
// from being dropped: the mock has no KV cache that could be full.
type prefixCache struct {
	room   int        // in blocks
	recent *list.List // of Block, the last used first
	at     map[Block]*list.Element
}

func newPrefixCache(room int) *prefixCache {
	return &prefixCache{room: room, recent: list.New(), at: map[Block]*list.Element{}}
}

// admit takes in the blocks of a prompt and returns how many of its tokens were there already. The last token is always
// computed, because the first of the answer comes from it.
func (c *prefixCache) admit(chain []Block, prompt int) (cached int) {
	for _, b := range chain {
		if c.at[b] == nil || cached+BlockTokens >= prompt {
			break
		}
		cached += BlockTokens
	}
	for i := len(chain) - 1; i >= 0; i-- { // so that the end of a prompt is dropped before what others may share with it
		if e := c.at[chain[i]]; e != nil {
			c.recent.MoveToFront(e)
			continue
		}
		c.at[chain[i]] = c.recent.PushFront(chain[i])
	}
	for c.recent.Len() > c.room {
		delete(c.at, c.recent.Remove(c.recent.Back()).(Block))
	}
	return cached
}
