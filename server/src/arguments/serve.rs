//! Options of `thicket serve`.

use clap::Args;

use super::{Reading, Runtimes};

/// Options of thicket serve. Each is also an environment variable; the command line wins.
#[derive(Clone, Debug, Default, Args)]
pub struct Serve {
    /// Address to listen on: 127.0.0.1 with --models or --model, or 0.0.0.0 in a container [env: THICKET_HOST]
    #[arg(long)]
    pub host: Option<String>,
    /// Port to listen on, 0 for any free one: 8080 [env: THICKET_PORT, SAGEMAKER_BIND_TO_PORT]
    #[arg(long)]
    pub port: Option<String>,
    /// Where models lie, a directory or s3://bucket/prefix: selects stand-alone mode; without it and --model thicket is a
    /// container whose models are loaded by POST /models [env: THICKET_MODELS]
    #[arg(long, value_name = "URI")]
    pub models: Option<String>,
    /// Which answers to give where AWS's container departs from its intentions: those it means to give, with the cause
    /// (intended), or those it gives (strict): intended [env: THICKET_COMPAT]
    #[arg(long, value_name = "RULE")]
    pub compat: Option<String>,
    /// The only model, a file, directory or model.tar.gz: selects single-model mode [env: THICKET_MODEL, SM_MODEL_DIR unless
    /// SAGEMAKER_MULTI_MODEL is set]
    #[arg(long, value_name = "PATH")]
    pub model: Option<String>,
    /// Memory that all models may take together, such as 512MiB or 2G: 80 % of the cgroup's limit or the machine's memory
    /// [env: THICKET_MEMORY_LIMIT]
    #[arg(long, value_name = "SIZE")]
    pub memory_limit: Option<String>,
    /// Which models stay in memory.
    #[command(flatten)]
    pub residency: Residency,
    /// Directory for converted models: the user's cache directory, or /tmp/thicket in a container
    /// [env: THICKET_CACHE_DIR]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<String>,
    /// What changes in the source and on disk.
    #[command(flatten)]
    pub freshness: Freshness,
    /// Threads that answer requests: one for each processor [env: THICKET_WORKERS]
    #[arg(long, value_name = "N")]
    pub workers: Option<String>,
    /// Largest request body: 6MiB [env: THICKET_BODY_MAX, SAGEMAKER_MAX_REQUEST_SIZE, MAX_CONTENT_LENGTH]
    #[arg(long, value_name = "SIZE")]
    pub body_max: Option<String>,
    /// Largest model artifact, packed or unpacked: 256MiB [env: THICKET_MODEL_MAX]
    #[arg(long, value_name = "SIZE")]
    pub model_max: Option<String>,
    /// How long a request waits for its model to load before it is told to come back: 60 [env: THICKET_LOAD_WAIT]
    #[arg(long, value_name = "SECONDS")]
    pub load_wait: Option<String>,
    /// How long running requests may go on after SIGTERM: 25 [env: THICKET_GRACE]
    #[arg(long, value_name = "SECONDS")]
    pub grace: Option<String>,
    /// How long after SIGTERM new connections are still taken while GET /ready says no, so that load balancers notice: 0
    /// [env: THICKET_DRAIN_WAIT]
    #[arg(long, value_name = "SECONDS")]
    pub drain_wait: Option<String>,
    /// Namespace under which metrics go to standard output once a minute in CloudWatch's embedded metric format: none
    /// [env: THICKET_EMF]
    #[arg(long, value_name = "NAMESPACE")]
    pub emf: Option<String>,
    /// Whether operators are shown the page GET /console, on or off: on for this machine alone where --host is loopback's,
    /// else off [env: THICKET_CONSOLE]
    #[arg(long, value_name = "SWITCH")]
    pub console: Option<String>,
    /// Form of the log on standard error, text or json: text [env: THICKET_LOG]
    #[arg(long, value_name = "FORM")]
    pub log: Option<String>,
    /// What is logged, error, warn, info, debug, trace or off: info [env: THICKET_LOG_LEVEL]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// What one client may take of the server.
    #[command(flatten)]
    pub limits: Limits,
    /// Index of the first column in libsvm: 0 (zero), or 1 where no feature of the request has index 0 (auto): zero
    /// [env: THICKET_LIBSVM_INDEX]
    #[arg(long, value_name = "RULE")]
    pub libsvm_index: Option<String>,
    /// How artifacts are read where containers differ.
    #[command(flatten)]
    pub reading: Reading,
    /// Shared libraries for models that need them.
    #[command(flatten)]
    pub runtimes: Runtimes,
}

/// Which models stay in memory.
#[derive(Clone, Debug, Default, Args)]
pub struct Residency {
    /// A model that leaves memory only when it is unloaded; may be given several times [env: THICKET_PIN, names between
    /// commas]
    #[arg(long, value_name = "MODEL")]
    pub pin: Vec<String>,
    /// How long a model stays in memory at least while others can leave: 10 [env: THICKET_RESIDENCY_MIN]
    #[arg(long, value_name = "SECONDS")]
    pub residency_min: Option<String>,
    /// How long nobody may ask for a model until it leaves memory, 0 for ever: 0 [env: THICKET_MODEL_IDLE_MAX]
    #[arg(long, value_name = "SECONDS")]
    pub model_idle_max: Option<String>,
    /// How many models are loaded at the start that were asked for most before the last stop, as long as three quarters of
    /// the memory hold them, 0 for none: all [env: THICKET_PRELOAD]
    #[arg(long, value_name = "N")]
    pub preload: Option<String>,
}

/// What changes in the source and on disk.
#[derive(Clone, Debug, Default, Args)]
pub struct Freshness {
    /// How often the source is asked whether models in memory have changed or are gone, 0 for never: 60 [env: THICKET_REFRESH]
    #[arg(long, value_name = "SECONDS")]
    pub refresh: Option<String>,
    /// How long a model whose artifact is gone is still served, from when that is noticed: 60 [env: THICKET_DELETED_GRACE]
    #[arg(long, value_name = "SECONDS")]
    pub deleted_grace: Option<String>,
    /// What the cache may take on disk, such as 20GiB: where there is more, conversions that are not in memory are removed,
    /// those first that nobody has used for longest: all of the disk [env: THICKET_CACHE_LIMIT]
    #[arg(long, value_name = "SIZE")]
    pub cache_limit: Option<String>,
}

/// What one client may take of the server.
#[derive(Clone, Debug, Default, Args)]
pub struct Limits {
    /// Connections at once, those beyond are answered 503 and closed: 8192 [env: THICKET_CONNECTIONS_MAX]
    #[arg(long, value_name = "N")]
    pub connections_max: Option<String>,
    /// How long a connection may wait for its next request: 65 [env: THICKET_IDLE_TIMEOUT]
    #[arg(long, value_name = "SECONDS")]
    pub idle_timeout: Option<String>,
    /// How long a request's head may take to arrive: 10 [env: THICKET_HEAD_TIMEOUT]
    #[arg(long, value_name = "SECONDS")]
    pub head_timeout: Option<String>,
    /// How long a request's body may take to arrive: 30 [env: THICKET_BODY_TIMEOUT]
    #[arg(long, value_name = "SECONDS")]
    pub body_timeout: Option<String>,
    /// How long a client may take to read an answer: 30 [env: THICKET_WRITE_TIMEOUT]
    #[arg(long, value_name = "SECONDS")]
    pub write_timeout: Option<String>,
    /// Largest head of a request: 16KiB [env: THICKET_HEAD_MAX]
    #[arg(long, value_name = "SIZE")]
    pub head_max: Option<String>,
    /// Headers of a request: 100 [env: THICKET_HEADERS_MAX]
    #[arg(long, value_name = "N")]
    pub headers_max: Option<String>,
    /// Longest request target: 8KiB [env: THICKET_URI_MAX]
    #[arg(long, value_name = "SIZE")]
    pub uri_max: Option<String>,
    /// Chunks of a body: 1048576 [env: THICKET_CHUNKS_MAX]
    #[arg(long, value_name = "N")]
    pub chunks_max: Option<String>,
    /// Memory that the bodies of all requests may take together, at least the largest body; those beyond are answered 503:
    /// an eighth of the models' memory, up to 256MiB [env: THICKET_BODIES_MAX]
    #[arg(long, value_name = "SIZE")]
    pub bodies_max: Option<String>,
}
