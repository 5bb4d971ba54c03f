"""Forms of a report that only audits have: SARIF for code scanning, HTML for people. The others are cli/render's."""
