//! HTTP servers on loopback whose responses a test decides: an STS, a server with TLS, a proxy.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rustls::pki_types::PrivateKeyDer;

/// A request, with its form if it has one.
#[derive(Debug, Clone)]
pub struct Request {
    /// The first line.
    pub line: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    pub form: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// The number of earlier requests with the same action.
    pub earlier: usize,
}

impl Request {
    pub fn action(&self) -> &str {
        self.form.get("Action").map_or("", String::as_str)
    }

    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.form.get(parameter).map(String::as_str)
    }
}

/// What a server does with a request.
pub enum Reply {
    /// A status, headers, and a body.
    Response(u16, String, String),
    /// A status and a body without a request ID of AWS, like the response of a proxy.
    NotOfAws(u16, &'static str),
    /// Closes the connection.
    Close,
    /// Never responds.
    Hang,
}

/// A server that records its requests.
pub struct Server {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        Server::start_with(None, reply)
    }

    /// A server for `localhost` with a certificate of `authority`.
    pub fn start_tls(
        authority: &Authority,
        reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::start_with(Some(authority.server_config()), reply)
    }

    fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (requests, reply) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::new(reply));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, seen, reply) = (tls.clone(), seen.clone(), reply.clone());
                std::thread::spawn(move || match tls {
                    None => respond(stream, &seen, &*reply),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        respond(rustls::StreamOwned::new(connection, stream), &seen, &*reply)
                    }
                });
            }
        });
        Server { port, requests }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn count(&self, action: &str) -> usize {
        self.requests().iter().filter(|request| request.action() == action).count()
    }
}

/// Responds to one request.
fn respond(
    mut stream: impl Read + Write,
    seen: &Mutex<Vec<Request>>,
    reply: &(impl Fn(&Request) -> Reply + ?Sized),
) -> Option<()> {
    let (line, headers, body) = read_request(&mut stream)?;
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let mut request = Request { line, headers, form, body, earlier: 0 };
    {
        let mut seen = seen.lock().unwrap();
        let is_same = |other: &&Request| other.action() == request.action();
        request.earlier = seen.iter().filter(is_same).count();
        seen.push(request.clone());
    }
    let mut write = |status: u16, headers: &str, body: &str| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Any\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        stream.flush().ok()
    };
    match reply(&request) {
        Reply::Response(status, headers, body) => {
            write(status, &format!("x-amzn-requestid: id\r\n{headers}"), &body)
        }
        Reply::NotOfAws(status, body) => write(status, "Content-Type: text/html\r\n", body),
        Reply::Close => None,
        Reply::Hang => {
            std::thread::sleep(Duration::from_secs(600));
            None
        }
    }
}

fn read_request(stream: &mut impl Read) -> Option<(String, BTreeMap<String, String>, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let line = lines.next()?;
    let headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((line, headers, body))
}

/// The time in so many seconds, as in AWS's responses.
pub fn time_in(seconds: u64) -> String {
    let time = SystemTime::now() + Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(time).to_string()
}

/// The time in HTTP: `Wed, 25 Nov 2026 15:34:35 GMT`.
pub fn http_date(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let month: usize = text[5..7].parse().unwrap();
    let day = days[usize::try_from(seconds / 86_400 % 7).unwrap()];
    let (year, date, time) = (&text[..4], &text[8..10], &text[11..19]);
    format!("{day}, {date} {} {year} {time} GMT", months[month - 1])
}

/// A successful response of STS: the identity of the sandbox's default account, or the credentials of a role,
/// which expire after `lifetime` seconds.
pub fn sts_success(request: &Request, lifetime: u64) -> Reply {
    let action = request.action();
    let result = match action {
        "GetCallerIdentity" => "<Account>123456789012</Account><UserId>U</UserId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/R/S</Arn>"
            .to_owned(),
        _ => format!(
            "<Credentials><AccessKeyId>ASIAROLE{}</AccessKeyId><SecretAccessKey>any</SecretAccessKey>\
             <SessionToken>token</SessionToken><Expiration>{}</Expiration></Credentials>\
             <AssumedRoleUser><AssumedRoleId>AROA:R</AssumedRoleId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/R/R</Arn></AssumedRoleUser>",
            request.earlier,
            time_in(lifetime)
        ),
    };
    sts_response(action, &result)
}

/// A successful response of STS with this result.
pub fn sts_response(action: &str, result: &str) -> Reply {
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}\
         </{action}Result><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></{action}Response>"
    );
    Reply::Response(200, String::new(), body)
}

/// An error of STS.
pub fn sts_error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>id</RequestId></ErrorResponse>"
    );
    Reply::Response(status, String::new(), body)
}

/// A certificate authority of the test.
pub struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Authority { certificate, issuer: rcgen::Issuer::new(parameters, key) }
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    fn server_config(&self) -> Arc<rustls::ServerConfig> {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Arc::new(config)
    }
}

/// The first line of a request to a proxy, and its `Proxy-Authorization`.
pub type Proxied = (String, Option<String>);

/// A proxy that records its requests.
pub struct Proxy {
    pub port: u16,
    seen: Arc<Mutex<Vec<Proxied>>>,
}

impl Proxy {
    /// A proxy that tunnels to `localhost` only. It refuses every request if `is_refusing`.
    pub fn start(is_refusing: bool) -> Proxy {
        Proxy::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), is_refusing)
    }

    /// A proxy on this listener.
    pub fn start_on(listener: TcpListener, is_refusing: bool) -> Proxy {
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Proxied>>>::default();
        let requests = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let requests = requests.clone();
                std::thread::spawn(move || tunnel(stream, is_refusing, &requests));
            }
        });
        Proxy { port, seen }
    }

    pub fn requests(&self) -> Vec<Proxied> {
        self.seen.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, is_refusing: bool, seen: &Mutex<Vec<Proxied>>) -> Option<()> {
    let (line, headers, body) = read_request(&mut client)?;
    seen.lock().unwrap().push((line.clone(), headers.get("proxy-authorization").cloned()));
    if is_refusing {
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(refused).ok();
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let authority = target.trim_start_matches("http://").split('/').next()?;
    let port = authority.rsplit(':').next()?;
    let mut server = TcpStream::connect(format!("127.0.0.1:{port}")).ok()?;
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    } else {
        let mut request = format!("{line}\r\n");
        for (name, value) in &headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        server.write_all(request.as_bytes()).ok()?;
        server.write_all(b"\r\n").ok()?;
        server.write_all(&body).ok()?;
    }
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    std::io::copy(&mut server, &mut client).ok()?;
    client.shutdown(std::net::Shutdown::Both).ok()
}
