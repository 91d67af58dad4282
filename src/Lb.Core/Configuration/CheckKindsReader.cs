namespace Lb;

/// <summary>Reads the keys of a check that only some kinds know.</summary>
internal static class CheckKindsReader
{
    public static void Read(ConfigurationReader reader, CheckOptions check)
    {
        check.Version = reader.Word("Version", check.Version);
        reader.TextMap("Headers", check.Headers);
        check.Body = reader.Text("Body", check.Body);
        check.Digest = reader.Text("Digest", check.Digest);
        reader.Items("Expects", isList: true, (_, r) => check.Expects.Add(ReadExpect(r)));
        reader.Items("Requests", isList: true, (_, r) => check.Requests.Add(ReadRequest(r)));
        check.DisableOn404 = reader.Flag("DisableOn404", check.DisableOn404);
        reader.Items("Script", isList: true, (_, r) => check.Script.Add(ReadStep(r)));
        reader.Section("Tls", r => ReadTls(r, check.Tls ??= new CheckTlsOptions()));
        reader.Section("Udp", r => ReadUdp(r, check.Udp ??= new CheckUdpOptions()));
        reader.Section("Dns", r => ReadDns(r, check.Dns ??= new CheckDnsOptions()));
    }

    private static CheckRequestOptions ReadRequest(ConfigurationReader reader)
    {
        CheckRequestOptions request = new();
        request.Port = reader.Integer("Port", request.Port);
        request.Path = reader.Text("Path", request.Path);
        request.Method = reader.Text("Method", request.Method);
        request.Host = reader.Text("Host", request.Host);
        request.Version = reader.Text("Version", request.Version);
        reader.TextMap("Headers", request.Headers);
        request.Body = reader.Text("Body", request.Body);
        request.Expect = reader.Text("Expect", request.Expect);
        request.ExpectBody = reader.Text("ExpectBody", request.ExpectBody);
        request.Digest = reader.Text("Digest", request.Digest);
        reader.Items("Expects", isList: true, (_, r) => request.Expects.Add(ReadExpect(r)));
        return request;
    }

    private static CheckExpectOptions ReadExpect(ConfigurationReader reader)
    {
        CheckExpectOptions expect = new();
        expect.Not = reader.Flag("Not", expect.Not);
        expect.Status = reader.Text("Status", expect.Status);
        expect.StatusRegex = reader.Text("StatusRegex", expect.StatusRegex);
        expect.Body = reader.Text("Body", expect.Body);
        expect.BodyRegex = reader.Text("BodyRegex", expect.BodyRegex);
        expect.Header = reader.Text("Header", expect.Header);
        expect.Value = reader.Text("Value", expect.Value);
        expect.ValueRegex = reader.Text("ValueRegex", expect.ValueRegex);
        return expect;
    }

    private static CheckStepOptions ReadStep(ConfigurationReader reader)
    {
        CheckStepOptions step = new();
        step.Connect = reader.Integer("Connect", step.Connect);
        step.Tls = reader.Flag("Tls", step.Tls);
        step.Linger = reader.Flag("Linger", step.Linger);
        step.Send = reader.Text("Send", step.Send);
        step.SendBinary = reader.Text("SendBinary", step.SendBinary);
        step.Expect = reader.Text("Expect", step.Expect);
        step.ExpectRegex = reader.Text("ExpectRegex", step.ExpectRegex);
        step.ExpectBinary = reader.Text("ExpectBinary", step.ExpectBinary);
        step.Not = reader.Flag("Not", step.Not);
        step.MinReceived = reader.Integer("MinReceived", step.MinReceived);
        step.OnError = reader.Text("OnError", step.OnError);
        step.OnSuccess = reader.Text("OnSuccess", step.OnSuccess);
        step.Comment = reader.Text("Comment", step.Comment);
        return step;
    }

    private static void ReadTls(ConfigurationReader reader, CheckTlsOptions tls)
    {
        tls.Verify = reader.Flag("Verify", tls.Verify);
        tls.CaFile = reader.Text("CaFile", tls.CaFile);
        tls.Sni = reader.Text("Sni", tls.Sni);
        if (reader.Has("Alpn")) tls.Alpn.Clear();
        reader.Texts("Alpn", tls.Alpn);
        tls.MinimumVersion = reader.Word("MinimumVersion", tls.MinimumVersion);
        tls.ClientCertificate = reader.Text("ClientCertificate", tls.ClientCertificate);
    }

    private static void ReadUdp(ConfigurationReader reader, CheckUdpOptions udp)
    {
        udp.Payload = reader.Text("Payload", udp.Payload);
        udp.PayloadHex = reader.Text("PayloadHex", udp.PayloadHex);
        udp.RequireReply = reader.Flag("RequireReply", udp.RequireReply);
        udp.Reply = reader.Text("Reply", udp.Reply);
        udp.MinReplyLength = reader.Integer("MinReplyLength", udp.MinReplyLength);
        udp.MaxReplyLength = reader.Integer("MaxReplyLength", udp.MaxReplyLength);
    }

    private static void ReadDns(ConfigurationReader reader, CheckDnsOptions dns)
    {
        dns.Name = reader.Word("Name", dns.Name);
        dns.Type = reader.Word("Type", dns.Type);
        dns.Rcode = reader.Word("Rcode", dns.Rcode);
        dns.MinAnswers = reader.Integer("MinAnswers", dns.MinAnswers);
        dns.Answer = reader.Text("Answer", dns.Answer);
        dns.Tcp = reader.Flag("Tcp", dns.Tcp);
        dns.Attempts = reader.Integer("Attempts", dns.Attempts);
    }
}
