using System.Net;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Transport;

/// <summary>Stapling, where the platform gives it (.NET on Linux), with OpenSSL as authority, responder and client.</summary>
[Trait("Row", "C4")]
public sealed class OcspStaplingTests
{
    [Theory(Timeout = 120_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handshakes_carry_the_responders_answer_when_that_is_asked_for(bool stapling)
    {
        Peer.Demand(OpenSsl.Need);
        using PeerHome home = new();
        IPEndPoint responder = Ports.Next();
        await MakeCertificatesAsync(home, responder);

        // Not asked whether it listens by a connection: one without a request is the last that it takes.
        await using Peer ocsp = Peer.Start(
            home, [OpenSsl.Need.Program, "ocsp", "-index", "index.txt", "-port", $"{responder.Port}", "-rsigner", "ca.pem", "-rkey", "ca.key", "-CA", "ca.pem", "-nmin", "60"]);
        await ocsp.Lines.WhenAsync(static line => line.Contains("waiting for OCSP client", StringComparison.Ordinal));
        await using GatewayHost lb = await GatewayHost.StartAsync((options, gateway) =>
        {
            options.Pools["web"].Servers.Add(new ServerOptions { Name = "none", Address = "127.0.0.1:9" });
            gateway.Tls = new GatewayTlsOptions { OcspStapling = stapling, Certificates = { new CertificateOptions { CertificateFile = home.PathOf("all.pem") } } };
        });

        // The first handshakes don't wait for the answer, which is fetched meanwhile.
        string said = "";
        for (int i = 0; i < 200 && !said.Contains("OCSP Response Status: successful", StringComparison.Ordinal); i++)
        {
            said = await AskAsync(home, lb);
            if (!stapling) break;
        }

        Assert.Contains(stapling ? "OCSP Response Status: successful" : "OCSP response: no response sent", said, StringComparison.Ordinal);
        if (stapling) Assert.Contains("Cert Status: good", said, StringComparison.Ordinal);
    }

    private static Task<string> AskAsync(PeerHome home, GatewayHost lb) =>
        Shell(home, $"openssl s_client -connect 127.0.0.1:{lb.EndPoint.Port} -servername app.example -CAfile ca.pem -status </dev/null 2>&1; true");

    private static Task<string> MakeCertificatesAsync(PeerHome home, IPEndPoint responder)
    {
        File.WriteAllText(home.PathOf("leaf.ext"), $"subjectAltName=DNS:app.example\nauthorityInfoAccess=OCSP;URI:http://{responder}/\n");
        File.WriteAllText(home.PathOf("index.txt"), "V\t400101000000Z\t\t1001\tunknown\t/CN=app.example\n");
        return Shell(home, """
            set -e
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=an authority' -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign
            openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=app.example
            openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 0x1001 -days 20 -out leaf.pem -extfile leaf.ext
            cat leaf.pem ca.pem leaf.key >all.pem
            """);
    }

    private static async Task<string> Shell(PeerHome home, string line) => await Peer.RunAsync(home, ["/bin/sh", "-c", line + " 2>&1"]);
}
