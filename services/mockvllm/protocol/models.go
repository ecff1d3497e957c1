package protocol

import "time"

type modelCard struct {
	ID          jsonText     `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"`
	OwnedBy     string       `json:"owned_by"`
	Root        jsonText     `json:"root"`
	Parent      nothing      `json:"parent"`
	MaxModelLen int          `json:"max_model_len"`
	Permission  []permission `json:"permission"`
}

type permission struct {
	ID            string  `json:"id"`
	Object        string  `json:"object"`
	Created       int64   `json:"created"`
	CreateEngine  bool    `json:"allow_create_engine"`
	Sampling      bool    `json:"allow_sampling"`
	Logprobs      bool    `json:"allow_logprobs"`
	SearchIndices bool    `json:"allow_search_indices"`
	View          bool    `json:"allow_view"`
	FineTuning    bool    `json:"allow_fine_tuning"`
	Organization  string  `json:"organization"`
	Group         nothing `json:"group"`
	IsBlocking    bool    `json:"is_blocking"`
}

// ModelsBody is the list of models: one card for each served name. Times and ids are new with every call.
func ModelsBody(served []string, root string, maxLen int, now time.Time) []byte {
	body := struct {
		Object string      `json:"object"`
		Data   []modelCard `json:"data"`
	}{Object: "list"}
	for _, name := range served {
		body.Data = append(body.Data, modelCard{ID: jsonText(name), Object: "model", Created: now.Unix(), OwnedBy: "vllm",
			Root: jsonText(root), MaxModelLen: maxLen, Permission: []permission{{ID: "modelperm-" + NewID(),
				Object: "model_permission", Created: now.Unix(), Sampling: true, Logprobs: true, View: true, Organization: "*"}}})
	}
	return Marshal(body)
}
