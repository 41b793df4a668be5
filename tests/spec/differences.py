REST_PARAMETERS: dict[str, str] = {}
REST_ANSWERS: dict[str, str] = {}
