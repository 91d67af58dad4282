namespace Lb;

/// <summary>Keys of the checks that speak a service's protocol, run a program or ask an agent.</summary>
internal static class CheckServiceReader
{
    public static void Read(ConfigurationReader reader, CheckOptions check)
    {
        check.Hello = reader.Word("Hello", check.Hello);
        check.User = reader.Text("User", check.User);
        check.PasswordFile = reader.Text("PasswordFile", check.PasswordFile);
        check.PasswordVariable = reader.Text("PasswordVariable", check.PasswordVariable);
        check.Service = reader.Word("Service", check.Service);
        reader.Texts("Command", check.Command);
        check.RunAs = reader.Text("RunAs", check.RunAs);
        check.Dynamic = reader.Flag("Dynamic", check.Dynamic);
        check.AgentSend = reader.Text("AgentSend", check.AgentSend);
    }
}
