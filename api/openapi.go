package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// comments are those of api.proto by full name, which the Go code generated from it does not carry at run time.
// TestCommentsAreCurrent makes the file from the proto file and fails when it is old.
//
//go:embed comments.json
var commentsFile []byte

// object is a JSON object; encoding/json writes its keys in order of name.
type object = map[string]any

// openAPI makes the OpenAPI 3.1 document of every method from the protobuf descriptors.
func openAPI() ([]byte, error) {
	file := apiv1.File_dure_api_v1_api_proto
	d := document{schemas: object{}}
	if err := json.Unmarshal(commentsFile, &d.comments); err != nil {
		return nil, fmt.Errorf("api: comments.json: %w", err)
	}
	paths, tags := object{}, []any{}
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		tags = append(tags, object{"name": string(service.Name()), "description": d.comments[string(service.FullName())]})
		for j := range service.Methods().Len() {
			method := service.Methods().Get(j)
			path := "/" + string(service.FullName()) + "/" + string(method.Name())
			paths[path] = object{"post": d.operation(service, method)}
		}
	}
	d.message((&apiv1.Error{}).ProtoReflect().Descriptor())
	d.schemas["connect.Error"] = connectErrorSchema
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Dure", "version": "v1", "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": d.comments[string(file.FullName())] +
				"\n\nEvery method is a POST of one JSON object. gRPC and gRPC-Web are served at the same paths, with reflection.",
		},
		"tags": tags, "paths": paths, "components": object{"schemas": d.schemas},
	}, "", " ")
}

// connectErrorSchema is the body of every error (Connect protocol, "Error end-stream").
var connectErrorSchema = object{
	"type":        "object",
	"description": "A refused request. The detail of type dure.api.v1.Error says why, in base64 and under debug as JSON.",
	"properties": object{
		"code":    object{"type": "string", "description": "Such as invalid_argument, not_found or resource_exhausted."},
		"message": object{"type": "string"},
		"details": object{"type": "array", "items": object{"type": "object", "properties": object{
			"type": object{"type": "string"}, "value": object{"type": "string", "contentEncoding": "base64"},
			"debug": ref("dure.api.v1.Error"),
		}}},
	},
}

type document struct {
	comments map[string]string
	schemas  object
}

func (d *document) operation(service protoreflect.ServiceDescriptor, m protoreflect.MethodDescriptor) object {
	d.message(m.Input())
	d.message(m.Output())
	media, note := "application/json", ""
	if m.IsStreamingServer() {
		media = "application/connect+json"
		note = "\n\nA stream: request and responses are enveloped as the Connect protocol says."
	}
	content := func(name string) object { return object{media: object{"schema": ref(name)}} }
	return object{
		"operationId": string(service.Name()) + "." + string(m.Name()), "tags": []any{string(service.Name())},
		"description": strings.TrimSpace(d.comments[string(m.FullName())] + note),
		"requestBody": object{"required": true, "content": content(string(m.Input().FullName()))},
		"responses": object{
			"200":     object{"description": "Answered.", "content": content(string(m.Output().FullName()))},
			"default": object{"description": "Refused.", "content": object{"application/json": object{"schema": ref("connect.Error")}}},
		},
	}
}

// message adds the schema of a message and of those in it.
func (d *document) message(m protoreflect.MessageDescriptor) {
	name := string(m.FullName())
	if _, done := d.schemas[name]; done || wellKnown(m) != nil {
		return
	}
	properties := object{}
	schema := object{"type": "object", "properties": properties}
	if c := d.comments[name]; c != "" {
		schema["description"] = c
	}
	d.schemas[name] = schema
	for i := range m.Fields().Len() {
		fd := m.Fields().Get(i)
		p := d.field(fd)
		if c := d.comments[string(fd.FullName())]; c != "" {
			p["description"] = c
		}
		properties[fd.JSONName()] = p
	}
}

func (d *document) field(fd protoreflect.FieldDescriptor) object {
	switch {
	case fd.IsMap():
		return object{"type": "object", "additionalProperties": d.single(fd.MapValue())}
	case fd.IsList():
		return object{"type": "array", "items": d.single(fd)}
	}
	return d.single(fd)
}

// single is the schema of one value in protobuf's JSON mapping, in which 64-bit numbers are strings.
func (d *document) single(fd protoreflect.FieldDescriptor) object {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.StringKind:
		return object{"type": "string"}
	case protoreflect.BytesKind:
		return object{"type": "string", "contentEncoding": "base64"}
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return object{"type": "number"}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return object{"type": "integer", "format": "int32"}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return object{"type": "integer", "minimum": 0}
	case protoreflect.EnumKind:
		values := []any{}
		for i := range fd.Enum().Values().Len() {
			values = append(values, string(fd.Enum().Values().Get(i).Name()))
		}
		return object{"type": "string", "enum": values}
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if s := wellKnown(fd.Message()); s != nil {
			return s
		}
		d.message(fd.Message())
		return ref(string(fd.Message().FullName()))
	}
	return object{"type": []any{"string", "integer"}, "format": "int64"}
}

func wellKnown(m protoreflect.MessageDescriptor) object {
	if m.FullName() == "google.protobuf.Struct" {
		return object{"type": "object"}
	}
	return nil
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }
