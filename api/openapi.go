package api

func openAPI() []byte { return []byte(`{"openapi":"3.1.0"}`) }
