"""The causes, a file for each subject: permissions, projects, policies, keys, credentials, sign-in, quotas, gemini, "
"general."""
