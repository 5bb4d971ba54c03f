"""Other vendors by what only their own errors say, in lower case: hosts, names of their own, forms of their error objects."""

from __future__ import annotations

from typing import Final

VENDORS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "Anthropic",
        (
            *("api.anthropic.com", "console.anthropic.com", "overloaded_error", "rate_limit_error", "authentication_error"),
            *(
                "credit balance is too low",
                "credit balance too low",
                "claude.ai/",
                "invalid x-api-key",
                "docs.claude.com",
                "docs.anthropic.com",
            ),
            *("platform.claude.com", "anthropicexception", "exceed your organization's rate limit", "anthropic-version"),
            *("could not resolve authentication method. expected either api", "please run /login (claude"),
            *("anthropic.notfounderror", "anthropic.authenticationerror", "anthropic.permissiondeniederror"),
            *("exceed the rate limit for your organization", '"type": "error", "error": {', '"type":"error","error":{'),
        ),
    ),
    (
        "Groq",
        (
            *("console.groq.com", "api.groq.com", "service tier `on_demand", "groqexception", "groq_api_key", "groq.groqerror"),
            *("groq.authenticationerror", "groq.ratelimiterror", "groq.badrequesterror", "groq.notfounderror"),
        ),
    ),
    ("xAI", ("api.x.ai", "console.x.ai", "used all available credits or reached its monthly spending limit")),
    (
        "DeepSeek",
        ("api.deepseek.com", "platform.deepseek", "deepseekexception", "'insufficient balance'", '"insufficient balance"'),
    ),
    (
        "OpenAI",
        (
            *("platform.openai.com", "api.openai.com", "help.openai.com", "openai api responded", "insufficient_quota"),
            *("openai.error.", "invalid_request_error", "incorrect api key provided", "auth.openai.com"),
            *("you didn't provide an api key. you need to provide", "chatgpt.com/", "api.chatgpt", "on tokens per min (tpm)"),
            *("on requests per min (rpm)", "in organization org-", "does not exist or you do not have access to it"),
            *("billing_hard_limit_reached", "openai: api response was", "invalid api key provided: sk-", "openai_api_key"),
            "the model: `gpt-",
            "openai.openaierror",
            "the engine is currently overloaded",
        ),
    ),
    (
        "Azure",
        (
            *(".azure.com", "azure.requestfailed", "invalid subscription key or wrong api endpoint", "deploymentnotfound"),
            *("aadsts", "apim-request-id", "microsoftonline.com", "the api deployment for this resource", "aka.ms/"),
            *("does not have authorization to perform action", "graph.microsoft.com", '"innererror"', "azure openai"),
            *("(code: insufficientquota)", "run 'az login'", "azurerm client", "azure cli", "azure_tenant_id"),
            *("(code: insufficientquota)", "azure.identity.", "azure.core.exceptions", "defaultazurecredential"),
            *("managedidentitycredential", "environmentcredential authentication", "'az login'", "`az login`"),
            *("to use namespace 'microsoft.", '"code":"authenticationfailed","message"'),
        ),
    ),
    (
        "AWS",
        (
            *("amazonaws.com", "botocore", "boto3", "arn:aws", "throttlingexception", "accessdeniedexception", "x-amzn-"),
            *("unrecognizedclientexception", "expiredtokenexception", "aws bedrock", "servicequotaexceededexception"),
            *("invalidclienttokenid", "signaturedoesnotmatch", "@aws-sdk", "aws-sdk", "api error: accessdenied"),
            *("an error occurred (validationexception)", "an error occurred (accessdenied", '"__type"', "bedrock-runtime"),
            *("have access to the model with the specified model id", "with on-demand throughput isn", "invoking bedrock"),
            *(
                "aws_s3_bucket",
                "error putting s3",
                ", host id: ",
                "sts:getcalleridentity",
                "expiredtoken: ",
            ),
            *("the security token included in the request is", "terraform aws provider", "assumerolewithwebidentity"),
            *("token has expired and refresh failed", "api error accessdenied", "nocredentialproviders", "no ec2 imds role"),
            *("the aws access key id", "credentialsprovidererror", '"aws configure"', "`aws configure`"),
        ),
    ),
    (
        "OpenRouter",
        (
            *("openrouter.ai", "openrouterexception", "free-models-per-day", "no endpoints found for", "provider: openrouter"),
            *("openrouter:", "free-models-per-min"),
        ),
    ),
    (
        "Mistral",
        ("api.mistral.ai", "console.mistral.ai", '"raw_status_code"', "mistralai.models.", '"type":"rate_limited","param"'),
    ),
    ("Hugging Face", ("huggingface.co", "hf.co/", "huggingface_hub", "hf_hub", "credits for inference providers")),
    ("Cohere", ("api.cohere.", "cohere.error", "co_api_key")),
    ("Databricks", ("docs.databricks.com", "remote_function_http_failed_error", "databricks.com/api")),
    (
        "GitHub",
        (
            *("api.github.com", "docs.github.com", "resource not accessible by integration", "githubcopilot", "copilot_"),
            *("github.com/login", '"documentation_url"', "/apps/managing-oauth-apps", "must match the registered callback url"),
            *("gh: bad credentials", "gh auth login", "use github cli in a github"),
            *("token is missing required scopes [read:org", "for 'https://github.com"),
        ),
    ),
    ("GitLab", ("gitlab.com/api", "docs.gitlab.com")),
    ("Bitbucket", ("api.bitbucket.org",)),
    ("Kubernetes", ("is forbidden: user ", "error from server (forbidden)")),
    ("Docker", ("docker.io", "docker.com", "toomanyrequests: you have reached your", "cannot connect to the docker daemon")),
    (
        "Cloudflare",
        (
            *("api.cloudflare.com", "cloudflare ray id", "cf-ray", "error code: 1010", "error code: 1015", "error code: 1020"),
            *("workers-ai/", '"code":10000,"message":"authentication error"', '"code":2009,"message":"unauthorized"'),
        ),
    ),
    ("Supabase", ("supabase.co", "row-level security policy", "pgrst")),
    ("Stripe", ("api.stripe.com", "stripe.error")),
    ("Slack", ("slack.com/api", "slack_sdk", "slack rejected", '"ok":false,"error":"', "an api error occurred: missing_scope")),
    ("Twilio", ("api.twilio.com",)),
    ("SendGrid", ("sendgrid",)),
    ("Perplexity", ("api.perplexity.ai",)),
    ("Together AI", ("api.together.", "together.ai")),
    ("Fireworks AI", ("api.fireworks.ai", "fireworks.ai/")),
    ("Cerebras", ("api.cerebras.ai", "cerebras.cloud")),
    ("SambaNova", ("api.sambanova.ai",)),
    ("NVIDIA", ("integrate.api.nvidia.com", "build.nvidia.com")),
    ("Replicate", ("api.replicate.com",)),
    ("Ollama", ("localhost:11434", "127.0.0.1:11434", "ollama.com", "`ollama pull")),
    ("Voyage AI", ("api.voyageai.com",)),
    ("Alibaba Cloud", ("dashscope", "aliyuncs.com")),
    ("Baidu", ("baidubce.com",)),
    ("Moonshot AI", ("api.moonshot.",)),
    ("Zhipu AI", ("bigmodel.cn", "api.z.ai")),
    ("MiniMax", ("api.minimax",)),
    ("SiliconFlow", ("api.siliconflow.",)),
    ("Volcengine", ("volces.com", "volcengine")),
    ("Tencent Cloud", ("tencentcloudapi", "tencentcloud.com")),
    ("Spotify", ("api.spotify.com", "accounts.spotify.com", "spotify")),
    ("Cloud Foundry", ("zones.uaa", "scim.read", "uaa.admin")),
    ("Keycloak", ("keycloak", "token is not active")),
    ("Notion", ("api.notion.com",)),
    ("Atlassian", (".atlassian.net", "api.atlassian.com", '"errormessages":[')),
    ("Meta", ("graph.facebook.com", "oauthexception", "fbtrace_id")),
    ("Telegram", ("api.telegram.org",)),
    ("Discord", ("discord.com/api", "discordapi")),
    ("X", ("api.twitter.com", "api.x.com")),
    ("LinkedIn", ("api.linkedin.com",)),
    ("Reddit", ("oauth.reddit.com",)),
    ("Zoom", ("api.zoom.us",)),
    ("Okta", (".okta.com", "okta.com/oauth2", '"errorcode":"e0000', '"errorcode": "e0000')),
    (
        "Auth0",
        (
            *(".auth0.com", "service not enabled within domain", "unknown or invalid refresh token"),
            *("not allowed for the client.", "expired token received for json web token validation"),
        ),
    ),
    (
        "Keycloak",
        (
            *("client not allowed for direct access grants", "invalid client or invalid client credentials"),
            *('"session not active"', '"token is not active"', "/protocol/openid-connect/"),
        ),
    ),
    ("PayPal", ("api.paypal.com", "api-m.paypal.com")),
    ("Shopify", ("myshopify.com",)),
    ("HubSpot", ("api.hubapi.com",)),
    ("Salesforce", (".salesforce.com", "force.com/services")),
    ("Airtable", ("api.airtable.com",)),
    ("Vercel", ("api.vercel.com",)),
    ("Heroku", ("api.heroku.com",)),
    ("DigitalOcean", ("api.digitalocean.com",)),
    ("IBM", ("watsonx", "cloud.ibm.com")),
    ("Oracle", ("oraclecloud.com",)),
    ("Snowflake", ("snowflakecomputing.com",)),
    ("Dropbox", ("api.dropboxapi.com",)),
    ("Mapbox", ("api.mapbox.com",)),
    ("Binance", ("binance.com",)),
    ("Google Trends", ("pytrends",)),
    ("Sentry", ("sentry.io/api",)),
    ("ElevenLabs", ("elevenlabs",)),
    ("npm", ("npm err! code e40",)),
    (
        "an LLM proxy",
        (
            "no accounts available with quota",
            "virtual key expected. received=",
            "no available channel for model",
            "new_api_error",
            "无可用渠道",
            "ai inference rate limit",
        ),
    ),
)

# Of these the ones that services use which speak the language of another vendor's API: they do not say whose service it was.
_COPIED: Final = frozenset(
    {
        *("overloaded_error", "rate_limit_error", "authentication_error", '"type": "error", "error": {', "anthropic-version"),
        *('"type":"error","error":{', "invalid x-api-key"),
        *("insufficient_quota", "invalid_request_error", "incorrect api key provided", "openai.error."),
        "does not exist or you do not have access to it",
    }
)


def copied(name: str, low: str) -> bool:
    """Whether a text (in lower case) has no other marks of this vendor than those that others' services use too."""
    return all(mark in _COPIED for vendor, marks in VENDORS if vendor == name for mark in marks if mark in low)
