package fields

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// Models is the field that holds the models.
const Models = "llmModels"

// The fields by which a model can be given; ByEndpoints is for endpoints alone.
const (
	ByCommand    = "command"
	ByModel      = "model"
	ByContainer  = "container"
	ByDeployment = "deployment"
	ByEndpoints  = "endpoints"
)

// Forms are the fields that say how a model is run here. Without any of them it is given by ByEndpoints.
var Forms = []string{ByCommand, ByModel, ByContainer, ByDeployment}

// Values of strict.Field.Forms.
var (
	processes   = []string{ByCommand, ByModel}
	commandOnly = []string{ByCommand}
	modelOnly   = []string{ByModel}
	started     = []string{ByCommand, ByModel, ByContainer} // whose servers are started here

	containerOnly = []string{ByContainer}
	watched       = []string{ByEndpoints, ByContainer}
)

// OfModel lists the fields of one entry of llmModels.
func OfModel() []strict.Field { return modelFields }

var modelFields = slices.Concat(processFields, placeFields, nameFields, lifeFields, timeoutFields, trafficFields)

// OfFile lists the fields at the top of the file.
func OfFile() []strict.Field { return fileFields }

var fileFields = []strict.Field{
	{Name: "$schema", Type: strict.TypeText, Doc: "Where editors find the JSON Schema of this file; FluidMCP does not read it.", Example: "./models.schema.json"},
	{Name: Models, Type: strict.TypeObject, Needed: true,
		Doc: "The models by id. An id is up to 200 letters, digits and . _ : @ + - beginning with a letter or digit, or several such parts with / between; not v1."},
	{Name: "swapGroups", Type: strict.TypeObject, Doc: "The groups that the field swap_group of models names, by name. One that needs no settings may be left out."},
}

// OfGroup lists the fields of one entry of swapGroups.
func OfGroup() []strict.Field { return groupFields }

var groupFields = []strict.Field{
	{Name: "loaded", Type: strict.TypeWhole, Min: 1, Max: 256, Default: 1, Example: 2, Doc: "How many of its models are loaded at a time."},
	{Name: "residency", Type: strict.TypeDuration, Example: "2m", Absent: "as long as its start took, at least ten seconds",
		Doc: "How long a model stays, from when it was ready, before it makes room for another one."},
}

// Elsewhere are flags of vLLM that the file says in fields of their own.
var Elsewhere = map[string]string{
	"port": "port", "model": "model", "served-model-name": "served_name", "api-key": "api_key",
}
