using System.Net;
using Lb.Contracts.Checkers;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

/// <summary>nginx with answers of all kinds, over HTTP and HTTPS.</summary>
public sealed class NginxServer() : PeerFixture(Nginx.Need)
{
    public IPEndPoint Http { get; } = Ports.Next();

    public IPEndPoint Https { get; } = Ports.Next();

    protected override async Task StartAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(Home.PathOf("www"));
        Home.Write("www/page.txt", "all is well\n");
        Home.Write("www/page.shtml", "<p>all is <!--#echo var=\"server_protocol\" --> well</p>\n");
        string app = Certificates.Write(Certificates.One.Good, Home.PathOf("app.pem"));
        string other = Certificates.Write(Certificates.One.Make("other.example"), Home.PathOf("other.pem"));
        Keep(await Nginx.StartAsync(Home, Http,
            $$"""
              server {
                listen {{Http}} default_server;
                root {{Home.PathOf("www")}};
                location = / { add_header X-State well; return 200 "all is well\n"; }
                location = /echo { return 200 "$server_protocol|$request_method|$host|$http_x_probe|$http_user_agent|$http_connection|$request_body"; }
                location = /chunks { ssi on; default_type text/html; try_files /page.shtml =404; }
                location = /loop { return 302 http://{{Http}}/loop; }
                location = /gone { return 410; }
                location = /broken { return 503; }
                location = /mute { return 444; }
              }
              server { listen {{Http}}; server_name other.example; location / { return 200 "the other"; } }
              server {
                listen {{Https}} ssl http2 default_server;
                ssl_certificate {{app}}; ssl_certificate_key {{app}}; ssl_protocols TLSv1.2 TLSv1.3;
                location / { return 200 "$ssl_protocol|$ssl_server_name|$ssl_alpn_protocol|$server_protocol"; }
              }
              server {
                listen {{Https}} ssl http2; server_name other.example;
                ssl_certificate {{other}}; ssl_certificate_key {{other}};
                location / { return 200 "the other"; }
              }
            """));
    }
}
