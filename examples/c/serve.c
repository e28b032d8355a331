/* Says that this program serves a session, until it is done. */
#include <sessionreg.h>
#include <stdio.h>

int main(void) {
    sessionreg_record *record = NULL;
    sessionreg_error *error = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "3f1c";
    fields.work_dir = "/srv/project";
    fields.agent = "qwen-code";
    if (sessionreg_record_new(&fields, &record, &error) != SESSIONREG_STATUS_OK ||
        sessionreg_write("chats/3f1c.runtime.json", record, NULL, &error) != SESSIONREG_STATUS_OK) {
        fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
        sessionreg_error_free(error);
        sessionreg_record_free(record);
        return 1;
    }
    // ... the session is served here ...
    bool removed = false;
    sessionreg_clear_if("chats/3f1c.runtime.json", record, &removed, NULL);
    sessionreg_record_free(record);
    return 0;
}
