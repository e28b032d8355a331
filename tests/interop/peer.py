"""The Python peer of the interop tests; see interop.py for what it is asked."""

import json
import sys

import sessionreg

mine = None
for line in sys.stdin:
    command, path, *rest = line.split()
    if command == "write":
        mine = sessionreg.Record(rest[0], "/srv/project", agent="kimi-cli")
        sessionreg.write(path, mine)
        answer = True
    elif command == "judge":
        record = sessionreg.load(path)
        verdict = sessionreg.liveness(record)
        answer = [record.session_id, record.pid, str(verdict.state), str(verdict.reason)]
    elif command == "rewrite":
        sessionreg.write(path, sessionreg.load(path))
        answer = True
    elif command == "clear_if":
        answer = sessionreg.clear_if(path, mine)
    elif command == "error":
        try:
            answer = sessionreg.load(path) and None
        except sessionreg.SessionRegError as error:
            answer = [error.code, str(error)]
    print(json.dumps(answer), flush=True)
